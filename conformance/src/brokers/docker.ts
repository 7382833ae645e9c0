import { existsSync } from "node:fs";
import type { RunningBroker } from "./broker.ts";
import { freePorts, LOCAL } from "./net.ts";
import { type BrokerSpec, variable } from "./spec.ts";

/** Why Docker cannot be used, as far as that can be seen without loading its client. */
export function noDocker(): string | undefined {
  const socket = "/var/run/docker.sock";
  return process.env.DOCKER_HOST || existsSync(socket) ? undefined : `there is no ${socket} and DOCKER_HOST is not set`;
}

/** The image's name: `PAPA_EVENTS_IMAGE_RABBITMQ_4_0`, else the official one. */
function imageOf({ kind, version, docker }: BrokerSpec): string {
  return process.env[variable(`image_${kind}`, version)] || docker.image;
}

/** Runs a broker in a container. @throws Error */
export async function startInDocker(spec: BrokerSpec): Promise<RunningBroker> {
  const { GenericContainer, getContainerRuntimeClient } = await import("testcontainers");
  const client = await getContainerRuntimeClient();
  // A port of our own choice stays the same when the container is killed and started again.
  const [port = 0] = await freePorts(1);
  const { docker, kind } = spec;
  const host = client.info.containerRuntime.host;
  let container = new GenericContainer(imageOf(spec))
    .withExposedPorts({ container: docker.port, host: port })
    // RabbitMQ names its data after the host.
    .withHostname(kind)
    .withEnvironment({ ...docker.environment });
  if (docker.command !== undefined) container = container.withCommand([...docker.command(host, port)]);
  for (const [target, content] of Object.entries(docker.files?.(host, port) ?? {}))
    container = container.withCopyContentToContainer([{ target, content }]);
  const started = await container.start();
  const inner = client.container.getById(started.getId());
  return {
    way: "docker",
    host: host === "localhost" ? LOCAL : host,
    port,
    control: {
      kill: async () => {
        if ((await inner.inspect()).State.Running) await inner.kill();
      },
      start: async () => {
        if ((await inner.inspect()).State.Running) await inner.kill();
        await inner.start();
      },
      pause: async () => {
        await inner.pause();
      },
      resume: async () => {
        await inner.unpause();
      },
      stop: async (failed) => {
        if (failed) await printLog(await started.logs({ tail: 100 }));
        await started.stop();
      },
    },
  };
}

async function printLog(log: NodeJS.ReadableStream): Promise<void> {
  log.pipe(process.stderr, { end: false });
  await new Promise((resolve) => setTimeout(resolve, 500));
}
