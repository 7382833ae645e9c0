// Imports every entry of every package, so that the compiler reads all of the built declarations.
import type * as cli from "@papa-events/cli";
import type * as core from "@papa-events/core";
import type * as decorators from "@papa-events/core/decorators";
import type * as operator from "@papa-events/core/operator";
import type * as transport from "@papa-events/core/transport";
import type * as uri from "@papa-events/core/uri";
import type * as amqp from "@papa-events/transport-amqp";
import type * as kafka from "@papa-events/transport-kafka";
import type * as memory from "@papa-events/transport-memory";
import type * as redisStreams from "@papa-events/transport-redis-streams";

export type Entries = [
  typeof cli,
  typeof core,
  typeof decorators,
  typeof operator,
  typeof transport,
  typeof uri,
  typeof amqp,
  typeof kafka,
  typeof memory,
  typeof redisStreams,
];
