import { fileURLToPath } from "node:url";
import { PapaApp, useCase } from "@papa-events/core";
import { transportFromUri } from "@papa-events/core/uri";

/** This file, which is also a program: a service whose process dies of one image, as of a native library that crashes. */
export const DYING_SERVICE = fileURLToPath(import.meta.url);

const [, program, url = ""] = process.argv;
if (program === DYING_SERVICE) {
  const resizeImage = useCase("resize_image", { on: "image.uploaded" }, async (image) => {
    if ((image as { width: number }).width > 100_000) process.kill(process.pid, "SIGKILL");
  });
  const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const app = new PapaApp({ transport: transportFromUri(url), name: "images", crashLimit: 2, logger });
  app.use(resizeImage);
  await app.run();
}
