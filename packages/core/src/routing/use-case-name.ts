import { PapaError } from "../errors/papa-error.ts";
import { shown } from "../errors/shown.ts";

const NAME = /^[A-Za-z0-9_.-]{1,100}$/;
/** Queues that belong to a use case are called so on RabbitMQ, where `amq.` is the broker's own. */
const RESERVED = /(?:\.retry|\.retry\.\d+|\.dlq)$|^amq\./;

/**
 * Checks a use case's name: 1 to 100 characters of `A-Z a-z 0-9 _ . -`, none that names another use case's queues.
 *
 * @throws PapaError `invalid-use-case`
 */
export function assertUseCaseName(name: unknown): asserts name is string {
  const problem = problemOf(name);
  if (problem === undefined) return;
  const useCase = shown(name);
  throw new PapaError("invalid-use-case", `${JSON.stringify(useCase)} is not a valid use-case name: ${problem}.`, {
    useCase,
    problem,
  });
}

function problemOf(name: unknown): string | undefined {
  if (typeof name !== "string")
    return `it is of type ${typeof name}, and a string is needed, such as useCase: "send_welcome_email"`;
  if (!NAME.test(name)) return 'it has 1 to 100 characters of A-Z, a-z, 0-9, "_", "." and "-"';
  if (RESERVED.test(name))
    return 'names that end in ".retry", ".retry.<number>" or ".dlq" or begin with "amq." are reserved for the queues behind a use case';
  return undefined;
}
