/** Text that PostgreSQL takes: it refuses NUL, and halves of characters in JSON. */
export function storable(text: string): string {
  return text.replaceAll('\0', '').toWellFormed();
}
