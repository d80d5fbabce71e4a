import { existsSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { findSecrets } from '../../../src/domain/privacy/redact.ts';
import { needsData } from '../../support/missing.ts';

const SET = new URL('../../../../shared/data/secrets/gitleaks.json', import.meta.url);

interface Case {
  readonly kind: string;
  readonly isSecret: boolean;
  readonly textBase64: string;
}

describe('redact on the fixtures of gitleaks', () => {
  it('finds at least 95 % of the secrets and takes at most 10 % of the others for one', function () {
    if (!existsSync(SET)) {
      return needsData(this, '../shared/data/secrets');
    }
    const cases: Case[] = JSON.parse(readFileSync(SET, 'utf8'));
    const share = (isSecret: boolean): number => {
      const some = cases.filter((each) => each.isSecret === isSecret);
      const found = some.filter((each) => findSecrets(Buffer.from(each.textBase64, 'base64').toString()).length > 0);
      return found.length / some.length;
    };
    expect(share(true), 'recall').to.be.at.least(0.95);
    expect(share(false), 'false positives').to.be.at.most(0.1);
  });
});
