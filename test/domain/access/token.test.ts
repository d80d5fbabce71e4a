import { expect } from 'chai';
import { beyond, common, isExpired, TOKEN_NAME, tokenNameOf } from '../../../src/domain/access/token.ts';
import { redact } from '../../../src/domain/privacy/redact.ts';

describe('tokens', () => {
  it('a token cannot hold what its maker does not', () => {
    const table: [readonly string[], readonly string[], readonly string[]][] = [
      [['deploy:staging'], ['deploy:*'], []],
      [['deploy:*'], ['deploy:staging'], ['deploy:*']],
      [['*'], ['deploy:*', 'alerts:*'], ['*']],
      [['deploy:*', 'alerts:read'], ['*'], []],
      [['deploy:staging', 'deploy:production'], ['deploy:staging'], ['deploy:production']],
      [['deploy:staging'], [], ['deploy:staging']],
    ];
    for (const [wanted, held, more] of table)
      expect(beyond(wanted, held), `${wanted.join()} of ${held.join()}`).to.deep.equal(more);
  });

  it('what both may shrinks with what its maker may', () => {
    const table: [readonly string[], readonly string[], readonly string[]][] = [
      [['deploy:*'], ['*'], ['deploy:*']],
      [['deploy:*'], ['deploy:staging', 'alerts:*'], ['deploy:staging']],
      [['deploy:staging'], ['deploy:*'], ['deploy:staging']],
      [['deploy:staging'], ['deploy:production'], []],
      [['*'], ['deploy:staging', 'alerts:*'], ['deploy:staging', 'alerts:*']],
      [['deploy:staging'], [], []],
    ];
    for (const [token, maker, both] of table)
      expect(common(token, maker), `${token.join()} and ${maker.join()}`).to.deep.equal(both);
  });

  it('counts until the moment that it expires', () => {
    const at = new Date('2026-11-20T12:00:00Z');
    expect(isExpired({ expiresAt: at }, new Date(at.getTime() - 1))).to.equal(false);
    expect(isExpired({ expiresAt: at }, at)).to.equal(true);
  });

  it('names', () => {
    for (const name of ['ci', 'build-17', 'a.b_c', '9']) expect(TOKEN_NAME.test(name), name).to.equal(true);
    for (const name of ['', 'CI', '-x', 'a b', 'a:b', '<b>', 'x'.repeat(41)])
      expect(TOKEN_NAME.test(name), name).to.equal(false);
    expect(tokenNameOf('api:ci')).to.equal('ci');
    expect(tokenNameOf('web:1')).to.equal(undefined);
    expect(tokenNameOf('apix:1')).to.equal(undefined);
  });

  it('the form of a secret is blotted out wherever it stands', () => {
    const secret = 'shp_dGhpcyBpcyBub3QgYSByZWFsIHRva2VuLCBvay4x';
    expect(redact(`curl -H "Authorization: Bearer ${secret}"`)).to.not.include(secret);
    expect(redact(`it is ${secret}, keep it`)).to.equal('it is [redacted: Shipmate token], keep it');
    expect(redact('the prefix shp_ alone')).to.equal('the prefix shp_ alone');
  });
});
