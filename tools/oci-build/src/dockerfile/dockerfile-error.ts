import { CodedError } from "@workspace/shared-config";
import type { Position } from "./instruction.ts";

/** For what needs an engine. */
export function unsupported(what: string, line: number): CodedError {
  return new CodedError({
    code: "E_DOCKERFILE_UNSUPPORTED",
    what: `line ${line} of the Dockerfile needs a container engine: oci-build copies files and runs nothing`,
    value: what,
    remedy:
      "Build with an engine: CDK_DOCKER=docker (or podman, finch, buildah). Or do the step before the build.",
  });
}

export function malformed(what: string, { line, text }: Position): CodedError {
  return new CodedError({
    code: "E_DOCKERFILE_MALFORMED",
    what: `line ${line} of the Dockerfile: ${what}`,
    value: text,
    remedy: "Correct the line.",
  });
}
