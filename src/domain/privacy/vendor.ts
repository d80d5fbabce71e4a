/** Tokens that tell by their form whose they are. Forms as the vendors document them, or as their secret scanners know them. */

import { isRandom } from './plausible.ts';
import type { Secret } from './redact.ts';

interface Form {
  readonly kind: string;
  /** At least one of these stands in the text, in this case: looked for first, because that is fast. */
  readonly hints: readonly string[];
  readonly pattern: RegExp;
  /** Least bits of entropy per character. */
  readonly bits?: number;
}

/** Every repetition is bounded or can be read in one way only, so each form is searched in linear time. */
function form(kind: string, hints: string, source: string, bits?: number): Form {
  const pattern = new RegExp(
    `(?<![A-Za-z0-9])(?:${source})(?![A-Za-z0-9#*]|-?[#*]|\\.{3}|…|\\.(?:png|gif|jpe?g|svg|html?|js|css)\\b)`,
    'g',
  );
  return { kind, hints: hints.split(' '), pattern, ...(bits !== undefined && { bits }) };
}

const FORMS: readonly Form[] = [
  form('AWS access key', 'AKIA ASIA ABIA ACCA A3T', '(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}'),
  form('AWS Bedrock key', 'ABSK', 'ABSK[A-Za-z0-9+/]{100,280}={0,2}', 2.5),
  form('AWS Bedrock key', 'bedrock-api-key-', 'bedrock-api-key-[A-Za-z0-9+/=_-]{40,4000}'),
  form('GitHub token', 'ghp_ gho_ ghu_ ghs_ ghr_', 'gh[pousr]_[A-Za-z0-9]{36,255}'),
  form('GitHub token', 'github_pat_', 'github_pat_[A-Za-z0-9_]{50,255}'),
  form(
    'GitLab token',
    'gl',
    '(?:glpat|gldt|glrt|glptt|glft|glsoat|glagent|glcbt|glimt|glffct|glwt|GR1348941)-?[A-Za-z0-9_=.-]{20,300}',
  ),
  form('GitLab token', 'GR1348941', 'GR1348941[A-Za-z0-9_-]{20}'),
  form('GitLab token', '_gitlab_session=', '_gitlab_session=[0-9a-z]{32}'),
  form(
    'Slack token',
    'xox',
    'xox[abeoprs](?:\\.xox[bp])?-(?:\\d-[A-Za-z0-9]{60,400}|\\d-\\d{6,}-[A-Za-z0-9-]{14,400}|\\d{6,}-[A-Za-z0-9-]{14,400})',
  ),
  form('Slack token', 'xapp- XAPP-', '(?:xapp|XAPP)-\\d-[A-Za-z0-9]{6,}-\\d{6,}-[A-Za-z0-9]{16,128}'),
  form('Slack webhook', 'hooks.slack.com', 'hooks\\.slack\\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/]{40,80}'),
  form(
    'Teams webhook',
    'webhook.office.com',
    '[A-Za-z0-9-]{1,60}\\.webhook\\.office\\.com/webhookb2/[A-Za-z0-9@/-]{60,300}',
  ),
  form(
    'Discord webhook',
    '/api/webhooks/',
    '(?:discord|discordapp)\\.com/api/webhooks/\\d{15,22}/[A-Za-z0-9_-]{50,100}',
  ),
  form('Discord token', '.', '[MNO][A-Za-z0-9_-]{23,27}\\.[A-Za-z0-9_-]{6}\\.[A-Za-z0-9_-]{27,40}', 4),
  form('Stripe key', 'sk_ rk_', '[sr]k_(?:live|test|prod)_[A-Za-z0-9]{10,200}'),
  form('Stripe webhook secret', 'whsec_', 'whsec_[A-Za-z0-9+/=]{24,100}'),
  form('Google API key', 'AIza', 'AIza[A-Za-z0-9_-]{35}'),
  form('Google OAuth secret', 'GOCSPX-', 'GOCSPX-[A-Za-z0-9_-]{28}'),
  form('Google access token', 'ya29.', 'ya29\\.[A-Za-z0-9_-]{20,2000}'),
  form('npm token', 'npm_', 'npm_[A-Za-z0-9]{36}'),
  form('PyPI token', 'pypi-', 'pypi-[A-Za-z0-9_-]{50,1000}'),
  form('RubyGems key', 'rubygems_', 'rubygems_[a-f0-9]{48}'),
  form('crates.io token', 'cio', 'cio[A-Za-z0-9]{32}'),
  form('NuGet key', 'oy2', 'oy2[a-z0-9]{43}'),
  form('Docker Hub token', 'dckr_', 'dckr_(?:pat|oat)_[A-Za-z0-9_-]{27,60}'),
  form('Clojars token', 'CLOJARS_', 'CLOJARS_[A-Za-z0-9]{60}'),
  form('Azure client secret', 'Q~', '[A-Za-z0-9_~.]{3}\\dQ~[A-Za-z0-9_~.-]{31,34}(?![A-Za-z0-9_~-])', 3.4),
  form('Azure signature', 'sig=', 'sig=[A-Za-z0-9%+/]{40,120}(?:%3D|=)', 3.5),
  form('JWT', 'eyJ', 'eyJ[A-Za-z0-9_-]{10,8000}\\.ey[A-Za-z0-9_-]{10,16000}\\.(?:[A-Za-z0-9_/+-]{10,2000}=*)?'),
  form('JWT', 'ZXlK', 'ZXlK[A-Za-z0-9+/_-]{60,16000}={0,2}', 4),
  form('OpenAI key', 'T3BlbkFJ', 'sk-[A-Za-z0-9_-]{16,200}T3BlbkFJ[A-Za-z0-9_-]{16,200}'),
  form('OpenAI key', 'sk-', 'sk-(?:proj|svcacct|admin|or-v1|None)-[A-Za-z0-9_-]{32,300}'),
  form('API key', 'sk-', 'sk-[A-Za-z0-9]{32,100}', 3.3),
  form('Anthropic key', 'sk-ant-', 'sk-ant-[a-z]{2,10}\\d\\d-[A-Za-z0-9_-]{80,130}AA'),
  form('Hugging Face token', 'hf_ api_org_', '(?:hf_|api_org_)[A-Za-z]{34}'),
  form('Groq key', 'gsk_', 'gsk_[A-Za-z0-9]{48,60}'),
  form('xAI key', 'xai-', 'xai-[A-Za-z0-9]{70,90}'),
  form('Perplexity key', 'pplx-', 'pplx-[A-Za-z0-9]{40,60}'),
  form('Replicate token', 'r8_', 'r8_[A-Za-z0-9]{37}'),
  form('Telegram token', ':A', '\\d{8,10}:A[A-Za-z0-9_-]{34}'),
  form('Twilio key', 'SK', 'SK[0-9a-f]{32}'),
  form('SendGrid key', 'SG.', 'SG\\.[A-Za-z0-9_-]{16,32}\\.[A-Za-z0-9_-]{32,64}'),
  form('Mailchimp key', '-us', '[0-9a-f]{32}-us\\d{1,2}'),
  form('Mailgun key', 'key- pubkey-', '(?:pub)?key-[0-9a-f]{32}'),
  form('Sendinblue key', 'xkeysib-', 'xkeysib-[a-f0-9]{64}-[A-Za-z0-9]{16}'),
  form('Postman key', 'PMAK-', 'PMAK-[a-f0-9]{24}-[a-f0-9]{34}'),
  form('Datadog key', 'ddp_ pub', 'ddp_[A-Za-z0-9]{36}'),
  form('New Relic key', 'NRAK- NRJS- NRII- NRAA- NRRA-', 'NR(?:AK|JS|II|AA|RA)-[A-Za-z0-9-]{19,32}'),
  form('Grafana token', 'glsa_ glc_', 'glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}|glc_[A-Za-z0-9+/]{32,400}={0,3}'),
  form('Grafana key', 'eyJrIjoi', 'eyJrIjoi[A-Za-z0-9+/]{60,400}={0,3}'),
  form(
    'Sentry token',
    'sntrys_ sntryu_',
    'sntrys_[A-Za-z0-9+/]{20,600}={0,2}_[A-Za-z0-9+/]{40,50}|sntryu_[a-f0-9]{64}',
  ),
  form('Sonar token', 'sq', 'sq[apu]_[A-Za-z0-9]{40}'),
  form(
    'Vault token',
    'hvs. hvb. hvr. s.',
    'hv[sbr]\\.[A-Za-z0-9_-]{24,300}|s\\.(?=[A-Za-z]*\\d)(?=[A-Z0-9]*[a-z])(?=[a-z0-9]*[A-Z])[A-Za-z0-9]{24}',
    3.5,
  ),
  form('Terraform token', '.atlasv1.', '[A-Za-z0-9]{14}\\.atlasv1\\.[A-Za-z0-9_=-]{60,80}'),
  form('Pulumi token', 'pul-', 'pul-[a-f0-9]{40}'),
  form('Doppler token', 'dp.', 'dp\\.(?:pt|st|ct|sa|scim|audit)\\.(?:[a-z0-9_-]{2,35}\\.)?[A-Za-z0-9]{40,44}'),
  form('1Password token', 'ops_eyJ', 'ops_eyJ[A-Za-z0-9+/_-]{200,4000}={0,3}'),
  form(
    '1Password secret key',
    'A3-',
    'A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}',
    3.6,
  ),
  form('age key', 'AGE-SECRET-KEY-1', 'AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}'),
  form('Atlassian token', 'ATATT3 ATCTT3 ATBB', '(?:ATATT3|ATCTT3)[A-Za-z0-9_=-]{60,300}|ATBB[A-Za-z0-9]{24,40}'),
  form('Linear key', 'lin_', 'lin_(?:api|oauth)_[A-Za-z0-9]{40,64}'),
  form('Notion token', 'ntn_ secret_', 'ntn_[A-Za-z0-9]{40,60}|secret_[A-Za-z0-9]{43}'),
  form('Airtable token', 'pat', 'pat[A-Za-z0-9]{14}\\.[a-f0-9]{64}'),
  form('DigitalOcean token', '_v1_', 'do[opr]_v1_[a-f0-9]{64}'),
  form('Heroku key', 'HRKU-', 'HRKU-[A-Za-z0-9_-]{36,80}'),
  form('Fly.io token', 'fo1_ fm1 fm2_', 'fo1_[A-Za-z0-9_-]{43}|fm(?:1[ar]|2)_[A-Za-z0-9+/]{100,8000}={0,3}'),
  form('Render key', 'rnd_', 'rnd_[A-Za-z0-9]{24,40}'),
  form('Vercel token', 'vcp_ vca_ vci_ vck_', 'vc[pcaik]_[A-Za-z0-9]{24,80}'),
  form('Netlify token', 'nfp_', 'nfp_[A-Za-z0-9]{36,40}'),
  form('Supabase key', 'sbp_ sb_secret_', 'sbp_[a-f0-9]{40}|sb_secret_[A-Za-z0-9_-]{20,60}'),
  form('Cloudflare key', 'v1.0-', 'v1\\.0-[a-f0-9]{24}-[a-f0-9]{146}'),
  form('PlanetScale secret', 'pscale_', 'pscale_(?:pw|tkn|oauth)_[A-Za-z0-9=._-]{32,64}'),
  form('Databricks token', 'dapi', 'dapi[a-f0-9]{32}(?:-\\d)?'),
  form('ClickHouse key', '4b1d', '4b1d[A-Za-z0-9]{38}'),
  form('Prefect key', 'pnu_ pnb_', 'pn[ub]_[A-Za-z0-9]{36}'),
  form('Dynatrace token', 'dt0', 'dt0[a-z]\\d\\d\\.[A-Z0-9]{24}\\.[A-Z0-9]{64}'),
  form('Shipmate token', 'shp_', 'shp_[A-Za-z0-9_-]{40}'),
  form('Shopify token', 'shp', 'shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{32}'),
  form('Square token', 'sq0 EAAA', 'sq0[a-z]{3}-[A-Za-z0-9_-]{22,50}|EAAA[A-Za-z0-9_-]{56,70}'),
  form('Plaid token', 'access-', 'access-(?:sandbox|development|production)-[0-9a-f-]{36}', 2.5),
  form('Flutterwave key', 'FLW', 'FLW(?:SECK|PUBK)(?:_TEST)?-[A-Za-z0-9]{12,40}(?:-X)?', 2.5),
  form('Facebook token', 'EAA', 'EAA[MC][A-Za-z0-9]{100,400}'),
  form('Facebook token', '| %', '\\d{15,16}(?:\\||%7C)[A-Za-z0-9_-]{27}', 3.5),
  form('42 secret', 's-s4t2', 's-s4t2(?:ud|af)-[a-f0-9]{64}'),
  form('Artifactory token', 'AKCp cmVmd', 'AKCp[A-Za-z0-9]{69}|cmVmd[A-Za-z0-9]{59}'),
  form('OpenShift token', 'sha256~', 'sha256~[A-Za-z0-9_-]{43}'),
  form('Octopus Deploy key', 'API-', 'API-[A-Z0-9]{26}', 3.2),
  form('Sourcegraph token', 'sgp_', 'sgp_(?:(?:[a-fA-F0-9]{16}|local)_)?[a-fA-F0-9]{40}', 3),
  form('Typeform token', 'tfp_', 'tfp_[A-Za-z0-9_.=-]{59}'),
  form('Tailscale key', 'tskey-', 'tskey-[a-z]{2,12}-[A-Za-z0-9_-]{16,80}'),
  form('Buildkite token', 'bkua_', 'bkua_[a-z0-9]{40}'),
  form('CircleCI token', 'CCIPAT_', 'CCIPAT_[A-Za-z0-9]{22}_[a-f0-9]{40}'),
  form(
    'LaunchDarkly key',
    'api- sdk- mob-',
    '(?:api|sdk|mob)-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}',
    2.5,
  ),
  form('Scalingo token', 'tk-us-', 'tk-us-[A-Za-z0-9_-]{48}'),
  form('Shippo token', 'shippo_', 'shippo_(?:live|test)_[a-fA-F0-9]{40}'),
  form('EasyPost key', 'EZ', 'EZ[AT]K[A-Za-z0-9]{54}'),
  form('Duffel token', 'duffel_', 'duffel_(?:test|live)_[A-Za-z0-9_=-]{43}'),
  form('Frame.io token', 'fio-u-', 'fio-u-[A-Za-z0-9_=-]{64}'),
  form('ReadMe key', 'rdme_', 'rdme_[a-z0-9]{70}'),
  form('Alibaba key', 'LTAI', 'LTAI[A-Za-z0-9]{17,24}'),
  form('Tencent key', 'AKID', 'AKID[A-Za-z0-9]{32}'),
  form(
    'Yandex key',
    'AQVN t1.',
    'AQVN[A-Za-z0-9_-]{35,38}|t1\\.[A-Z0-9a-z_-]{20,400}[=]{0,2}\\.[A-Z0-9a-z_-]{86}[=]{0,2}',
    3.5,
  ),
  form('MaxMind key', '_mmk', '[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk'),
  form('Infracost key', 'ico-', 'ico-[A-Za-z0-9]{32}'),
  form('Harness token', 'pat. sat.', '(?:pat|sat)\\.[A-Za-z0-9_-]{22}\\.[a-f0-9]{24}\\.[A-Za-z0-9]{20}'),
  form('Defined Networking token', 'dnkey-', 'dnkey-[a-z0-9=_-]{26}-[a-z0-9=_-]{52}'),
  form('Mapbox token', 'pk. sk.', '[ps]k\\.eyJ[A-Za-z0-9_-]{40,120}\\.[A-Za-z0-9_-]{20,24}'),
];

export function vendorSecrets(text: string): Secret[] {
  const found: Secret[] = [];
  for (const { kind, hints, pattern, bits } of FORMS) {
    if (!hints.some((hint) => text.includes(hint))) continue;
    for (const match of text.matchAll(pattern)) {
      const value = match[0];
      if (!isRandom(value, bits)) continue;
      found.push({ kind, start: match.index, end: match.index + value.length });
    }
  }
  return found;
}
