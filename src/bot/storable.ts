/** Text that PostgreSQL takes: it refuses NUL, and halves of characters in JSON. */
export function storable(text: string): string {
  return text.replaceAll('\0', '').toWellFormed();
}

/** A value as JSON for PostgreSQL: half a character at the end of a text that was cut would have the whole of it refused. */
export function storableJson(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => (typeof each === 'string' ? storable(each) : each));
}
