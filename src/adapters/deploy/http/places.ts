/** Places in the texts of the configuration: `{service}`, `{version}` and the like. */

/** Puts the values where they belong; a place without a value stays as it stands. */
export function fillPlaces(
  text: string,
  values: Readonly<Record<string, string | undefined>>,
  encode: (value: string) => string = (value) => value,
): string {
  return text.replace(/\{([a-z]+)\}/g, (place, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    return value === undefined ? place : encode(value);
  });
}
