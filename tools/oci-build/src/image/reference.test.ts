import { describe, expect, it } from "vitest";
import { formatReference, parseReference } from "./reference.ts";

const digest = `sha256:${"a".repeat(64)}`;

describe("parseReference", () => {
  it.each([
    ["debian", "docker.io/library/debian:latest"],
    ["debian:12", "docker.io/library/debian:12"],
    ["team/app", "docker.io/team/app:latest"],
    ["docker.io/debian", "docker.io/library/debian:latest"],
    ["index.docker.io/team/app", "docker.io/team/app:latest"],
    ["cdkasset-0a1b", "docker.io/library/cdkasset-0a1b:latest"],
    ["127.0.0.1:5000/app", "127.0.0.1:5000/app:latest"],
    ["localhost/app:1", "localhost/app:1"],
    ["[::1]:5000/a/b:1", "[::1]:5000/a/b:1"],
    [
      "123456789012.dkr.ecr.eu-central-1.amazonaws.com/app:0a1b2c",
      "123456789012.dkr.ecr.eu-central-1.amazonaws.com/app:0a1b2c",
    ],
    [`public.ecr.aws/x/y:1@${digest}`, `public.ecr.aws/x/y:1@${digest}`],
    [`debian@${digest}`, `docker.io/library/debian@${digest}`],
  ])("completes %s", (short, full) => {
    expect(formatReference(parseReference(short))).toBe(full);
    expect(formatReference(parseReference(full))).toBe(full);
  });

  it.each(["", "UPPER", "a b", "a//b", "a:", "a:b:c", "-a", "host:port/x", "a@b@c", ":1", "https://x/y"])(
    "refuses %j",
    (value) => {
      expect(() => parseReference(value)).toThrow(/^E_(REFERENCE|DIGEST)_MALFORMED/);
    },
  );

  it("refuses a digest that is none", () => {
    expect(() => parseReference("debian@sha256:12")).toThrow("E_DIGEST_MALFORMED");
  });
});
