import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { CodedError } from "@workspace/shared-config";
import { attach } from "../registry/referrers.ts";
import type { CommandContext } from "./command-context.ts";

export interface AttachOptions {
  readonly artifactType: string;
  readonly file: string;
}

export async function runAttach(
  context: CommandContext,
  reference: string,
  { artifactType, file }: AttachOptions,
): Promise<void> {
  // https://www.rfc-editor.org/rfc/rfc6838#section-4.2
  if (!/^[a-z0-9][\w!#$&^.+-]*\/[a-z0-9][\w!#$&^.+-]*$/i.test(artifactType)) {
    throw new CodedError({
      code: "E_USAGE",
      what: "--artifact-type is not a media type",
      value: artifactType,
      remedy: "Give one such as application/vnd.cyclonedx+json.",
    });
  }
  const content = readFile(file);
  const { digest } = await attach({ ...context, reference, artifactType, content, title: basename(file) });
  context.print(digest);
}

function readFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "ENOENT")) throw cause;
    throw new CodedError({
      code: "E_FILE_MISSING",
      what: "there is no file to attach",
      value: path,
      remedy: "Check --file.",
      cause,
    });
  }
}
