/** What is remembered in memory has a bound. */

/** Sets an entry, as the newest one; beyond `most` entries the oldest one goes. */
export function keepNewest<K, V>(map: Map<K, V>, key: K, value: V, most: number): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > most && oldest !== undefined) map.delete(oldest);
}
