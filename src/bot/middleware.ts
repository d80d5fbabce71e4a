/** Hubot's middleware, failing closed. */

import { Middleware, type MiddlewareContext } from 'hubot';

/**
 * Hubot lets a message pass when a middleware throws. Here it is stopped, so that a permission check that breaks is a
 * refusal; the error goes to the robot's error handlers, and from there to the person.
 */
export class StrictMiddleware extends Middleware {
  override async execute(context: MiddlewareContext): Promise<boolean | undefined> {
    for (const middleware of this.stack) {
      try {
        if ((await middleware(context)) === false) return false;
      } catch (error) {
        this.robot.emit('error', error, context.response);
        return false;
      }
    }
    return true;
  }
}
