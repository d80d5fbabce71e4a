/**
 * Preloaded into Hubot's own tests: where they ask for Hubot's robot they get ours, built on the checkout's own classes.
 * `HUBOT_CHECKOUT` is the folder of the checkout; `HUBOT_SUITE=stock` leaves Hubot's robot in place.
 */

import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const checkout = process.env['HUBOT_CHECKOUT'] ?? '';
const hubot = pathToFileURL(join(checkout, 'index.mjs')).href;
const ours = new URL('./hubot.ts', import.meta.url).href;
const here = import.meta.url;

registerHooks({
  resolve(specifier, context, next) {
    const fromCheckout = context.parentURL?.startsWith(pathToFileURL(join(checkout, '/')).href);
    if (!fromCheckout && specifier === 'hubot') return { url: hubot, shortCircuit: true };
    if (!fromCheckout && specifier.startsWith('hubot/')) return next(new URL(specifier.slice(6), hubot).href, context);
    if (fromCheckout && specifier === '../index.mjs' && process.env['HUBOT_SUITE'] !== 'stock')
      return { url: ours, shortCircuit: true };
    try {
      return next(specifier, context);
    } catch (error) {
      // The checkout has no packages of its own: it shares ours.
      if (!fromCheckout || /^[./]|^\w+:/.test(specifier)) throw error;
      return next(specifier, { ...context, parentURL: here });
    }
  },
});
