/** Chance from a seed: the same seed gives the same numbers, on every machine (sfc32). */
export class Random {
  readonly #seed: string;
  #a: number;
  #b: number;
  #c: number;
  #d = 1;

  constructor(seed: string) {
    this.#seed = seed;
    [this.#a, this.#b, this.#c] = hash(seed);
    for (let warmingUp = 0; warmingUp < 12; warmingUp += 1) this.next();
  }

  /** At least 0, less than 1. */
  next(): number {
    const sum = (this.#a + this.#b + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return (sum >>> 0) / 4_294_967_296;
  }

  /** From `min` to `max`, both included. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(list: readonly [T, ...T[]]): T;
  pick<T>(list: readonly T[]): T | undefined;
  pick<T>(list: readonly T[]): T | undefined {
    return list[Math.floor(this.next() * list.length)];
  }

  /** Those of a list that chance takes, in their order. */
  some<T>(list: readonly T[], probability: number): T[] {
    return list.filter(() => this.chance(probability));
  }

  /** A stream of its own: what is drawn from it changes nothing for the others. */
  fork(name: string): Random {
    return new Random(`${this.#seed}/${name}`);
  }
}

/** Three numbers of a text (FNV-1a, three times over). */
function hash(text: string): [number, number, number] {
  const numbers: [number, number, number] = [0x811c9dc5, 0x01000193, 0x9e3779b9];
  for (const [index, start] of numbers.entries()) {
    let value = start;
    for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
    numbers[index] = value ^ (value >>> 15);
  }
  return numbers;
}
