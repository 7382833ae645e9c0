/**
 * What the instances of a namespace have declared, kept in the broker (R1, R6). Patterns are bound as long as any
 * declaration has them.
 */
export interface Declarations {
  /**
   * Makes each use case's queue and binds its patterns, and records each declaration as seen now. Idempotent; the core
   * repeats it so that its declarations stay alive, and nothing is bound anew then. Resolves when every event published
   * from now on, by anyone, reaches these use cases (R1).
   *
   * @throws PapaError `topology-conflict`, `access-refused`
   */
  declare(declarations: readonly Declaration[]): Promise<void>;

  /**
   * Reads what is declared, by a look at the broker that begins after this call.
   *
   * @param useCase the use case to look at; without it, all of the namespace, or `undefined` where the broker cannot tell
   */
  list(useCase: string): Promise<readonly DeclarationRecord[]>;
  list(useCase?: undefined): Promise<readonly DeclarationRecord[] | undefined>;

  /**
   * Unbinds those of `patterns` that nobody has declared for at least `idle` milliseconds. The check and the removal are
   * one step where the broker can; elsewhere a pattern declared in between is bound again by its owner's next `declare`.
   */
  withdraw(useCase: string, patterns: readonly string[], idle: number): Promise<void>;
}

/** A use case as one app declares it. */
export interface Declaration {
  /** The use case's name. */
  readonly name: string;
  readonly patterns: readonly string[];
  /** Names this set of patterns: the same set has the same id in every instance. */
  readonly id: string;
}

/** A declaration as the broker remembers it. A transport that keeps single patterns gives one record for each. */
export interface DeclarationRecord {
  readonly useCase: string;
  readonly patterns: readonly string[];
  /** How many milliseconds ago an instance last declared it, by the broker's clock. */
  readonly idle: number;
  /** The declaration's {@link Declaration.id}, where the broker keeps it. */
  readonly id?: string | undefined;
  /** The name of the app that declared it, where the broker keeps it. */
  readonly app?: string | undefined;
}
