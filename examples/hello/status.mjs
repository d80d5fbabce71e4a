// Prints what is live in an environment: {"version": "v1", "since": "…"}, or {} if nothing is.
import { live, placeOf } from './place.mjs';

console.log(JSON.stringify((await live(placeOf(process.argv[2]))) ?? {}));
