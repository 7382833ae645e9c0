/** The options with their defaults, durations in milliseconds. */
export interface Target {
  readonly file: string;
  readonly lease: number;
  readonly poll: number;
  readonly lockTimeout: number;
}
