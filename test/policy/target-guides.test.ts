/** Each kind of target has a folder, a guide, and in it a configuration that can be taken as it is. */

import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { servicesSchema } from '../../src/config/services.ts';
import { parseYaml } from '../../src/config/yaml.ts';
import { configurationsIn } from '../support/guide.ts';

const ROOT = new URL('../../', import.meta.url);
const folders = (path: string) =>
  readdirSync(new URL(path, ROOT), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);

/** What serves several kinds, and is none. */
const SHARED = ['http'];
const kinds = folders('src/adapters/deploy').filter((name) => !SHARED.includes(name));
const index = readFileSync(new URL('docs/guide/targets/README.md', ROOT), 'utf8');

describe('guides of targets', () => {
  it('are there for each kind, and stand in the index', () => {
    const pages = readdirSync(new URL('docs/guide/targets', ROOT));
    expect(pages).to.include.members(kinds.map((kind) => `${kind}.md`));
    for (const kind of kinds) expect(index).to.include(`| [${kind}](${kind}.md) |`);
  });

  it('belong to kinds that one line in targets.ts makes', () => {
    const source = readFileSync(new URL('src/adapters/deploy/targets.ts', ROOT), 'utf8');
    for (const kind of kinds) expect(source).to.match(new RegExp(`^ {2}${kind}: async .*create\\w+Target,$`, 'm'));
  });

  for (const kind of kinds) {
    it(`have a configuration of ${kind} that loads as it stands`, () => {
      const all = configurationsIn(`${kind}.md`);
      expect(all).not.to.be.empty;
      for (const text of all) {
        const result = parseYaml(text, 'services.yaml', servicesSchema);
        expect(result.ok, `${text}\n${JSON.stringify(result)}`).to.equal(true);
      }
      expect(all[0]).to.include(`kind: ${kind}`);
    });
  }
});
