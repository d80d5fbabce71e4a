import { expect } from 'chai';
import * as storage from '../../src/storage/migrations/0001-storage.ts';
import { createSettings } from '../../src/storage/settings.ts';
import { eachDatabase } from '../support/database.ts';

describe('settings', () => {
  eachDatabase(
    (open) => {
      it('keeps any JSON value', async () => {
        const settings = createSettings(await open());
        expect(await settings.get('nothing')).to.equal(undefined);
        for (const value of [1, 'text', null, [1, { a: [] }], { b: true }]) {
          await settings.set('value', value);
          expect(await settings.get('value')).to.deep.equal(value);
        }
      });

      it('makes a secret once, also when many ask at the same moment', async () => {
        const db = await open();
        const found = await Promise.all(Array.from({ length: 10 }, () => createSettings(db).secret('session')));
        expect(new Set(found).size).to.equal(1);
        expect(found[0]).to.match(/^[\w-]{43}$/);
        expect(await createSettings(db).secret('other')).to.not.equal(found[0]);
      });
    },
    { storage },
  );
});
