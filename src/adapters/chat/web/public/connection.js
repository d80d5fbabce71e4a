/** One WebSocket that comes back by itself, and requests over it. What was said and not acknowledged is sent again. */

const FIRST_WAIT = 250;
const LONGEST_WAIT = 8_000;
const REQUEST_TIMEOUT = 15_000;
const OUTBOX = 'shipmate.outbox';

/**
 * @param {{ onFrame: (frame: any) => void, onState: (state: { kind: 'open' | 'waiting' | 'connecting' | 'out', until?: number }) => void }} handlers
 */
export function createConnection({ onFrame, onState }) {
  let socket;
  let wait = FIRST_WAIT;
  let timer;
  let opened = false;
  let nextRequest = 1;
  let stopped = false;
  const requests = new Map();
  /** Frames not yet acknowledged, by their id, in order; they survive a reload of the page. */
  const outbox = new Map(readOutbox());

  async function connect() {
    clearTimeout(timer);
    if (stopped || socket) return;
    onState({ kind: 'connecting' });
    const next = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/web/socket`);
    socket = next;
    next.onmessage = (event) => receive(JSON.parse(event.data));
    next.onclose = () => closed(next);
  }

  async function closed(which) {
    if (socket !== which) return;
    socket = undefined;
    const wasOpen = opened;
    opened = false;
    for (const request of requests.values())
      request.reject({ text: 'The connection was lost.', next: 'It will be back in a moment.' });
    requests.clear();
    if (stopped) return;
    if (!wasOpen && (await signedOut())) {
      stopped = true;
      onState({ kind: 'out' });
      return;
    }
    const delay = wasOpen ? FIRST_WAIT : wait * (0.75 + Math.random() / 2);
    wait = Math.min(LONGEST_WAIT, wait * 2);
    onState({ kind: 'waiting', until: Date.now() + delay });
    timer = setTimeout(connect, delay);
  }

  async function signedOut() {
    try {
      const response = await fetch('/web/me');
      return response.ok && (await response.json()).state !== 'in';
    } catch {
      return false;
    }
  }

  function receive(frame) {
    if (frame.t === 'welcome') {
      opened = true;
      wait = FIRST_WAIT;
      onState({ kind: 'open' });
      onFrame(frame);
      for (const waiting of outbox.values()) if (!waiting.refused) transmit(waiting.frame);
      return;
    }
    if (frame.t === 'answer' || frame.t === 'failed') {
      const request = requests.get(frame.req);
      requests.delete(frame.req);
      if (frame.t === 'answer') request?.resolve(frame.answer);
      else request?.reject(frame.problem);
      return;
    }
    if (frame.t === 'ack') settle(frame.id);
    if (frame.t === 'refused') {
      const waiting = outbox.get(frame.id);
      if (waiting && frame.problem.retryMs !== undefined) {
        setTimeout(() => outbox.has(frame.id) && transmit(waiting.frame), frame.problem.retryMs);
        return;
      }
      if (waiting) waiting.refused = frame.problem;
      // A button that was refused is not pressed later: the card may be another one by then.
      if (waiting?.frame.t === 'press') outbox.delete(frame.id);
      writeOutbox();
    }
    onFrame(frame);
  }

  function transmit(frame) {
    if (opened && socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
  }

  function settle(id) {
    if (outbox.delete(id)) writeOutbox();
  }

  function writeOutbox() {
    try {
      sessionStorage.setItem(OUTBOX, JSON.stringify([...outbox]));
    } catch {
      // The page then keeps them only until it is reloaded.
    }
  }

  function retryNow() {
    if (socket || stopped) return;
    wait = FIRST_WAIT;
    void connect();
  }

  addEventListener('online', retryNow);
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && retryNow());

  return {
    connect,
    retryNow,
    close() {
      stopped = true;
      socket?.close();
    },
    /** Sends a frame that the server acknowledges; again after every reconnection until it does. */
    deliver(frame) {
      outbox.set(frame.id, { frame, at: new Date().toISOString() });
      writeOutbox();
      transmit(frame);
    },
    retry(id) {
      const waiting = outbox.get(id);
      if (!waiting) return;
      delete waiting.refused;
      writeOutbox();
      transmit(waiting.frame);
    },
    settle,
    /** What waits for its acknowledgement. */
    waiting: () => [...outbox.values()],
    /** Sends and forgets. */
    tell: transmit,
    /** @returns {Promise<any>} the answer; rejects with `{ text, next }` */
    ask(frame) {
      return new Promise((resolve, reject) => {
        if (!opened) {
          reject({ text: 'Shipmate is not reachable.', next: 'Try again when the connection is back.' });
          return;
        }
        const req = nextRequest++;
        const timeout = setTimeout(() => {
          requests.delete(req);
          reject({ text: 'Shipmate did not answer in time.', next: 'Try again.' });
        }, REQUEST_TIMEOUT);
        const settled = (fn) => (value) => {
          clearTimeout(timeout);
          fn(value);
        };
        requests.set(req, { resolve: settled(resolve), reject: settled(reject) });
        transmit({ ...frame, req });
      });
    },
  };
}

function readOutbox() {
  try {
    return JSON.parse(sessionStorage.getItem(OUTBOX) ?? '[]');
  } catch {
    return [];
  }
}

/** A new id for a message; also works where the page is not a secure context. */
export function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
