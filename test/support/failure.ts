/** What goes wrong on purpose. */

/** What it was rejected with; throws if it was not. */
export async function failure(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}
