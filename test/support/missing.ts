/** What a test does when something that it needs is not there. */

/** Skips the running test and says how to install the program; under CI that is a failure. */
export function needs(context: Mocha.Context, program: string, command: string): never {
  const sentence = `${program} is not installed; install it with: ${command}`;
  if (process.env['CI'] === 'true') throw new Error(sentence);
  return skip(context, sentence);
}

/** Skips the running test because it measures on data that is not part of this repository. */
export function needsData(context: Mocha.Context, folder: string): never {
  return skip(context, `there is no folder ${folder}; the data that this test reads is not part of the repository`);
}

/** Skips the running test because a small disk, which it fills, cannot be mounted. */
export function needsMount(context: Mocha.Context, file: string): never {
  return skip(
    context,
    `a small disk cannot be mounted; run it as root, in a container with the right to mount: sudo npx mocha ${file}`,
  );
}

function skip(context: Mocha.Context, sentence: string): never {
  if (context.test) context.test.title += ` (skipped: ${sentence})`;
  console.warn(`skipped: ${sentence}`);
  return context.skip();
}
