/** What Slack sends, as far as it is not known yet what it is. */

export type JsonObject = Readonly<Record<string, unknown>>;

/** An object with names; no array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Undefined if the text is no JSON, or no object. */
export function objectIn(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
