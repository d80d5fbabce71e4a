/** Plays Alertmanager: sends a test alert to the robot's own intake, over HTTP like any other. */

import type { AlertTester } from '../../../domain/alerts/ports.ts';
import { testWebhook } from './schema.ts';

const TIMEOUT_MS = 5000;

export function createAlertTester(options: {
  /** Where this process listens, for example `http://127.0.0.1:8080`; asked for at each test. */
  readonly url: () => string;
  readonly token: string;
  readonly now: () => Date;
}): AlertTester {
  return {
    async send(test) {
      const { default: axios } = await import('axios');
      try {
        const response = await axios.post<unknown>(
          `${options.url()}/hooks/alertmanager`,
          testWebhook({ ...test, now: options.now() }),
          {
            headers: { Authorization: `Bearer ${options.token}`, 'User-Agent': 'shipmate-test' },
            timeout: TIMEOUT_MS,
            maxRedirects: 0,
            // To itself, never through a proxy.
            proxy: false,
            validateStatus: () => true,
          },
        );
        if (response.status === 202) return { kind: 'accepted' };
        return { kind: 'refused', reason: `the intake answered ${response.status}` };
      } catch (error) {
        const code = axios.isAxiosError(error) && error.code ? error.code : 'no answer';
        return { kind: 'refused', reason: `the intake cannot be reached (${code})` };
      }
    },
  };
}
