/** What programs have asked for over HTTP, and what they are told: each request is a room of the chat `api`. */

import { API_CHAT } from '../domain/access/token.ts';
import type { AuditOutcome } from './audit.ts';
import type { Content } from './card.ts';
import type { Address } from './chat.ts';
import type { Posts } from './post.ts';
import type { Decision } from './proposals.ts';

export interface ApiRequest {
  readonly id: string;
  readonly personId: string;
  /** Where people see what comes of it. */
  readonly room?: Address;
  readonly at: Date;
  /** Under which it is asked for once. */
  readonly once?: { readonly key: string; readonly commandHash: string };
}

/** Something said in it; said again under the same key, it replaces what was said before. */
export interface ApiMessage {
  readonly key: string;
  readonly content: Content;
  /** Grows with every message that is said or changed, on whichever replica. */
  readonly revision: number;
}

/** How far the command of a request is. */
export interface ApiState {
  /** Of the newest audit row; undefined if there is none: nothing was begun that changes anything. */
  readonly run?: { readonly outcome: AuditOutcome | undefined; readonly detail: string | undefined };
  /** What somebody is asked to approve; undefined if nobody is. */
  readonly proposal?: { readonly decision: Decision | undefined; readonly expiresAt: Date };
}

export interface ApiRequestStore {
  /** False if another request of that person has the key. */
  open(request: ApiRequest): Promise<boolean>;
  withKey(personId: string, key: string): Promise<ApiRequest | undefined>;
  /** Its key is free for another request: nothing came of this one. */
  freeKey(id: string): Promise<void>;
  get(id: string): Promise<ApiRequest | undefined>;
  say(request: string, key: string, content: Content): Promise<void>;
  /** What was said after that revision, in order. */
  since(request: string, revision: number): Promise<readonly ApiMessage[]>;
  state(request: string): Promise<ApiState>;
  /** Forgets requests from before that. */
  purge(before: Date): Promise<void>;
}

/**
 * Posts that reach programs, too: what is posted in a request is stored for whichever replica has the program on the line, and
 * shown to people in the room of the token, buttons included.
 */
export function withApiPosts<P extends Posts>(
  posts: P,
  ports: {
    readonly store: Pick<ApiRequestStore, 'get' | 'say'>;
    redact(content: Content): Content;
    newKey(): string;
  },
): P {
  const { store } = ports;
  return {
    ...posts,
    async post(address, content, options = {}) {
      if (address.chat !== API_CHAT) return await posts.post(address, content, options);
      const request = await store.get(address.room);
      if (!request) return;
      const { key } = options;
      await store.say(request.id, key ?? ports.newKey(), ports.redact(content));
      if (!request.room || options.onlyTo !== undefined) return;
      await posts.post(request.room, content, key === undefined ? {} : { key: `api:${request.id}:${key}` });
    },
  };
}
