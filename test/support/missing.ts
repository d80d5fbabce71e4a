/** What a test does when a program that it needs is not installed. */

/** Skips the running test and says how to install the program; under CI that is a failure. */
export function needs(context: Mocha.Context, program: string, command: string): void {
  const sentence = `${program} is not installed; install it with: ${command}`;
  if (process.env['CI'] === 'true') throw new Error(sentence);
  if (context.test) context.test.title += ` (skipped: ${sentence})`;
  console.warn(`skipped: ${sentence}`);
  context.skip();
}
