/** What the guide tells people to copy: configuration that the program takes, and scripts that a shell takes. */

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse, parseAllDocuments } from 'yaml';
import { servicesSchema } from '../../src/config/services.ts';

const GUIDE = join(import.meta.dirname, '../../docs/guide');

interface Block {
  readonly language: string;
  readonly text: string;
}

function blocksOf(file: string): readonly Block[] {
  const text = readFileSync(join(GUIDE, file), 'utf8');
  return [...text.matchAll(/^```(?<language>\w+)\n(?<text>.*?)^```$/gms)].map(({ groups }) => ({
    language: groups?.['language'] ?? '',
    text: groups?.['text'] ?? '',
  }));
}

/** A service may stand alone, as its environments are said elsewhere on the page. */
function asFile(given: unknown): unknown {
  if (typeof given !== 'object' || given === null || 'environments' in given) return given;
  return { environments: { staging: null, production: null }, ...given };
}

describe('examples in docs/guide', () => {
  const files = readdirSync(GUIDE, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.md'));

  for (const file of files) {
    for (const [index, { language, text }] of blocksOf(file).entries()) {
      if (language === 'yaml' && /^services:/m.test(text) && /^ +target:/m.test(text)) {
        it(`${file}, block ${index + 1}: is a configuration`, () => {
          const { error } = servicesSchema.safeParse(asFile(parse(text)));
          expect(error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)).to.equal(undefined);
        });
      } else if (language === 'yaml') {
        it(`${file}, block ${index + 1}: is YAML`, () => {
          const problems = [...parseAllDocuments(text)].flatMap(({ errors }) => errors);
          expect(problems).to.deep.equal([]);
        });
      }
      if (language === 'sh') {
        it(`${file}, block ${index + 1}: is a script`, () => {
          execFileSync('sh', ['-n'], { input: text, stdio: ['pipe', 'ignore', 'pipe'] });
        });
      }
    }
  }
});
