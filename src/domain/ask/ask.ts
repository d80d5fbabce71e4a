/** Answers a question from the team's own knowledge. */

import { plain } from '../../bot/card.ts';
import { addressOf } from '../../bot/chat.ts';
import { answerable, type Evidence, type Fit } from './answerable.ts';
import { toSend, toShow } from './choose.ts';
import type { Passage } from './chunk.ts';
import { checkCitations, type Source } from './cite.ts';
import { buildIndex, type Index } from './index.ts';
import type { Answer, AskPorts, Conversation, Knowledge, Question, Turn } from './ports.ts';
import { buildPrompt, estimateTokens, PROMPT_LIMITS } from './prompt.ts';
import { termsOf } from './terms.ts';
import { neutralise, shorten } from './untrusted.ts';
import { unwrapped } from './unwrap.ts';

/** Longest answer in characters; chats cut or split what is much longer. */
export const ANSWER_LIMIT = 3_000;
const MOST_PASSAGES = 8;
const MOST_OTHERS = 3;
/** A question of fewer words of its own than this may be about what was said before: "and if that does not help?" */
const SHORT_QUESTION = 3;
/** How a question goes on from the one before: "and then?", "what if …", "does that lose data?"; not "ship it" or "lunch anyone". */
const GOES_ON =
  /^\W*(?:and|but|or|then|so|else|also|if|what (?:if|about|else|next)|how about)\b|^\W*(?:what|how|why|who|where|when|which|is|are|was|do|does|did|can|could|should|would|will)\b.*\b(?:it|its|that|this|these|those|they|them|there)\b/i;

/** The key of a question's conversation: its thread, or its person in that room. */
export function conversationOf({ person, room }: Pick<Question, 'person' | 'room'>): Conversation {
  return { ...addressOf(room), personId: person.id };
}

/** Makes the service that commands use. */
export function createKnowledge(ports: AskPorts): Knowledge {
  let current: { version: string; index: Index } | undefined;

  async function index(): Promise<Index> {
    const { version, files } = await ports.source.read();
    if (current?.version !== version) {
      current = { version, index: buildIndex(files) };
      ports.log.info({ files: files.length, version }, 'knowledge indexed');
    }
    return current.index;
  }

  function sourcesOf(passages: readonly Passage[]): Source[] {
    return passages.map((passage, at) => ({
      number: at + 1,
      path: passage.path,
      title: passage.title,
      heading: passage.heading,
      line: passage.line,
      url: ports.source.link(passage.path, passage.anchor),
    }));
  }

  function retrieve(
    found: Index,
    question: string,
    turns: readonly Turn[],
  ): { fit: Fit; evidence: readonly Evidence[]; query: string } {
    const alone = { ...answerable(found.search(question)), query: question };
    const last = turns.at(-1);
    if (last === undefined || alone.fit === 'sure') return alone;
    const own = termsOf(question).length;
    if (own > SHORT_QUESTION || (own > 0 && !GOES_ON.test(question))) return alone;
    const query = `${last.question} ${question}`;
    const together = { ...answerable(found.search(query)), query };
    return together.fit === 'none' ? alone : together;
  }

  function words(
    found: Index,
    question: string,
    evidence: readonly Evidence[],
  ): Pick<Answer, 'text' | 'cut' | 'sources' | 'others'> {
    const [best] = evidence;
    if (best === undefined) return { text: '', cut: false, sources: [], others: [] };
    const shown = toShow(question, best, found.passages(best.passage.path), ANSWER_LIMIT / 2);
    const text = shown
      .map((passage) => {
        const heading = shown.length > 1 ? passage.heading.at(-1) : undefined;
        return (heading === undefined ? '' : `**${plain(heading)}**\n\n`) + passageText(unwrapped(passage.text));
      })
      .join('\n\n');
    const short = shorten(text, ANSWER_LIMIT);
    return {
      ...short,
      sources: sourcesOf(shown),
      others: sourcesOf(evidence.slice(1, 1 + MOST_OTHERS).map(({ passage }) => passage)),
    };
  }

  return {
    async ask(asked, options = {}) {
      const now = ports.now();
      const conversation = conversationOf(asked);
      // Without its memory the robot still answers: the database may be what the question is about.
      const forgotten = (error: unknown): [] => {
        ports.log.warn({ err: error }, 'conversation not remembered');
        return [];
      };
      const [found, turns] = await Promise.all([
        index(),
        ports.memory.recent(conversation, now, PROMPT_LIMITS.turns).catch(forgotten),
      ]);
      const { fit, evidence, query } = retrieve(found, asked.question, turns);
      const base = { fit, files: found.files, ...(ports.model === undefined ? {} : { model: ports.model.name }) };
      const remember = async (answer: string): Promise<{ readonly number?: number }> => {
        const { person } = asked;
        const turn = { personId: person.id, personName: person.name, at: now };
        const number = await ports.memory
          .remember(conversation, {
            ...turn,
            question: ports.redact(asked.question),
            answer: ports.redact(answer),
          })
          .catch((error: unknown) => void forgotten(error));
        return number === undefined ? {} : { number };
      };
      const fromFiles = async (more: Partial<Answer> = {}): Promise<Answer> => {
        const said = words(found, query, evidence);
        const remembered = await remember(said.text);
        return { ...base, ...remembered, ...said, origin: evidence.length > 0 ? 'passages' : 'nothing', ...more };
      };
      if (ports.model === undefined) return await fromFiles();

      const passages = toSend(evidence, (path) => found.passages(path), {
        characters: PROMPT_LIMITS.passages,
        passages: MOST_PASSAGES,
      });
      const sources = sourcesOf(passages);
      options.onProgress?.({ kind: 'reading', sources });
      const context = await ports.source.context();
      const messages = buildPrompt(
        { question: asked.question, askedBy: asked.person.name, passages, turns, context },
        (text) => ports.redact(text),
      );
      const given = messages.map(({ content }) => content).join('\n');
      const check = (text: string): ReturnType<typeof checkCitations> => checkCitations(text, sources, given);
      const outcome = await ports.model.complete(messages, {
        signal: options.signal,
        onText: (text) => {
          options.onProgress?.({ kind: 'writing', text: () => shorten(check(text).text, ANSWER_LIMIT).text });
        },
      });
      if (outcome.kind === 'failed') {
        ports.log.warn(
          {
            model: ports.model.name,
            trouble: outcome.trouble,
            detail: outcome.detail,
            tokens: estimateTokens(messages),
          },
          'model gave no answer',
        );
        return await fromFiles({
          trouble: outcome.trouble,
          ...(outcome.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: outcome.retryAfterSeconds }),
        });
      }
      const { text, cited, unknown } = check(outcome.text);
      ports.log.info(
        {
          model: ports.model.name,
          tokens: outcome.tokens ?? { sent: estimateTokens(messages) },
          passages: passages.length,
          cited: cited.length,
          madeUp: unknown.length,
        },
        'model answered',
      );
      const short = shorten(text, ANSWER_LIMIT);
      const remembered = await remember(outcome.text);
      const used = new Set(cited.map(({ path }) => path));
      return {
        ...base,
        ...remembered,
        text: short.text,
        cut: short.cut || outcome.truncated,
        origin: cited.length > 0 ? 'model' : 'model-alone',
        sources: cited,
        others: sourcesOf(evidence.map(({ passage }) => passage))
          .filter(({ path }) => !used.has(path))
          .slice(0, MOST_OTHERS),
      };
    },

    async search(query, limit = 5) {
      const found = (await index()).search(query, limit);
      const fits = new Map(answerable(found).evidence.map(({ passage, fit }) => [passage, fit]));
      return found.flatMap(({ passage, score }) =>
        sourcesOf([passage]).map((source) => ({ source, score, fit: fits.get(passage) ?? ('none' as const) })),
      );
    },

    forget: (conversation) => ports.memory.forget(conversation),

    rate: ({ note, ...rating }, room) =>
      ports.feedback.rate({ ...rating, ...(note === undefined ? {} : { note: ports.redact(note) }) }, room),

    ratings: (limit) => ports.feedback.ratings(limit),
  };
}

/** A file's own words: pictures out, nobody mentioned, its web links kept, deeper headings as bold lines. */
function passageText(markdown: string): string {
  const web = (url: string): boolean => /^https?:\/\/[^\s]+$/i.test(url);
  return neutralise(markdown, { link: web, show: () => true }, (text) =>
    text.replace(/^ {0,3}#{1,6}[ \t]+(.+?)[ \t#]*$/gm, '**$1**').replace(/\n{3,}/g, '\n\n'),
  ).trim();
}
