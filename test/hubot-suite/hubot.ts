/** What Hubot's tests import instead of `index.mjs`: the same, with our robot. It plays the part of src/config for it. */

import Hubot from 'hubot';
import { Robot as OurRobot } from '../../src/bot/robot.ts';

export * from 'hubot';

export class Robot extends OurRobot {
  constructor(...[adapter, httpd, name, alias]: ConstructorParameters<typeof Hubot.Robot>) {
    super(adapter, httpd, name, alias, { http: { port: Number(process.env['PORT'] ?? 8080) } });
  }
}

export function loadBot(...[adapter, httpd, name, alias]: ConstructorParameters<typeof Hubot.Robot>): Robot {
  return new Robot(adapter, httpd, name, alias);
}

export default { ...Hubot, Robot, loadBot };
