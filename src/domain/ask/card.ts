/** An answer as a card: the text first, then where it is from, then how far to trust it. */

import { type Action, type Card, card, type Field, moment, plain } from '../../bot/card.ts';
import { type Source, sourceLink } from './cite.ts';
import type { Answer, Progress, RatedAnswer } from './ports.ts';
import { linkTo } from './untrusted.ts';

const MOST_SOURCES = 5;

function list(sources: readonly Source[], numbered: boolean): string {
  return sources
    .slice(0, MOST_SOURCES)
    .map((source) => (numbered ? `${source.number}\\. ${sourceLink(source)}` : sourceLink(source)))
    .join('\n');
}

function sourceFields({ sources, others, origin }: Answer): Field[] {
  const cites = origin === 'model';
  return [
    ...(sources.length > 0 ? [{ name: cites ? 'Sources' : 'From', value: list(sources, cites), short: false }] : []),
    ...(others.length > 0
      ? [{ name: sources.length > 0 ? 'Also see' : 'Closest runbooks', value: list(others, false), short: false }]
      : []),
  ];
}

function footerOf({ origin, model }: Answer): string {
  switch (origin) {
    case 'model':
      return `Answered by ${model ?? 'the model'} from the runbooks; check before you run anything.`;
    case 'model-alone':
      return `Answered by ${model ?? 'the model'} from what it knows itself; no runbook says this.`;
    case 'passages':
      return model === undefined
        ? 'No model is configured: this is the passage from the runbook itself.'
        : 'This is the passage from the runbook itself.';
    case 'nothing':
      return '';
  }
}

/**
 * @param trouble what to say about a model that failed; Markdown
 * @param near usage of a command that the question begins like
 */
export function answerCard(answer: Answer, trouble?: string, near?: string): Card {
  const note = trouble === undefined ? '' : `${trouble}\n\n`;
  if (answer.origin === 'nothing') return nothingCard(answer, note, near);
  const [first] = answer.sources;
  const title =
    answer.origin === 'model-alone' ? 'Not from the runbooks' : answer.origin === 'model' ? 'Answer' : first?.title;
  const unsure =
    answer.origin === 'passages' && answer.fit === 'maybe'
      ? 'Nothing fits exactly; this is the closest that the runbooks have.\n\n'
      : '';
  const more =
    answer.cut && first ? `\n\n… ${linkTo('the rest is in the runbook', first.url)}` : answer.cut ? '\n\n…' : '';
  return card({
    title: title ?? 'Answer',
    tone: answer.origin === 'model-alone' || unsure !== '' || note !== '' ? 'warning' : 'neutral',
    text: `${note}${unsure}${answer.text}${more}`,
    fields: sourceFields(answer),
    actions: answer.number === undefined ? [] : ratings(answer.number),
    footer: footerOf(answer),
  });
}

/** What a reader can say of it. */
function ratings(number: number): readonly Action[] {
  return [
    { label: 'Helpful', command: `ask rate ${number} helpful` },
    { label: 'Not helpful', command: `ask rate ${number} unhelpful` },
  ];
}

/** What was said of answers, newest first. */
export function feedbackCard(ratings: readonly RatedAnswer[]): Card {
  const helpful = ratings.filter((each) => each.helpful).length;
  return card({
    title: 'What people say of my answers',
    text:
      ratings.length === 0
        ? 'Nobody has said anything yet: the buttons under an answer are for that.'
        : `${helpful} of the latest ${ratings.length} found it helpful.`,
    fields: ratings.map(({ helpful: good, person, at, note, question, text }) => ({
      name: `${good ? '✓ helpful' : '✗ not helpful'}: ${oneLine(question, 150)}`,
      value: [
        ...(note === undefined ? [] : [`“${plain(oneLine(note, 300))}”`]),
        plain(oneLine(text, 200)),
        `${plain(person.name)}, ${moment(at)}`,
      ].join('\n'),
      short: false,
    })),
  });
}

function oneLine(text: string, limit: number): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > limit ? `${line.slice(0, limit).toWellFormed()}…` : line;
}

function nothingCard({ files, others }: Answer, note: string, near: string | undefined): Card {
  const found =
    files === 0
      ? 'There are no runbooks yet: put Markdown files into `runbooks/`.'
      : `Nothing in ${files} ${files === 1 ? 'runbook' : 'runbooks'} fits that.`;
  const command = near === undefined ? '' : `\n\nIf you meant the command, type \`${near.replaceAll('`', '')}\`.`;
  return card({
    isGuide: true,
    title: 'I have no answer to that',
    tone: 'warning',
    text: `${note}${found} It helps to name the alert (\`KubePodCrashLooping\`), the service, or the words of the error message.${command}`,
    fields: others.length > 0 ? [{ name: 'Closest runbooks', value: list(others, false), short: false }] : [],
    footer:
      'A new file in runbooks/ is found at once; I look first at its title and at "alerts:" in its front matter. "help" shows my commands.',
  });
}

/** What is shown while a model works. */
export function progressCard(progress: Progress): Card {
  const reading = progress.kind === 'reading' ? [...new Set(progress.sources.map(({ path }) => path))] : [];
  return card({
    title: progress.kind === 'reading' ? 'Looking into it' : 'Answer',
    tone: 'progress',
    text:
      progress.kind === 'writing'
        ? progress.text()
        : reading.length > 0
          ? `Reading ${reading.map((path) => `\`${path.replaceAll('`', '')}\``).join(', ')}`
          : 'No runbook fits; asking the model alone',
  });
}
