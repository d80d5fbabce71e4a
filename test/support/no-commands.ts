/** A script that declares nothing. */
export default function nothing(): void {}
