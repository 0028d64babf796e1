import { describe, expect, it } from "vitest";
import { findPrincipal } from "./principal.ts";

describe("findPrincipal", () => {
  it.each([
    ["arn:aws:sts::123456789012:assumed-role/release/session", "arn:aws:iam::123456789012:role/release"],
    ["arn:aws-cn:sts::123456789012:assumed-role/a/b", "arn:aws-cn:iam::123456789012:role/a"],
    ["arn:aws:iam::123456789012:user/team/ada", "arn:aws:iam::123456789012:user/team/ada"],
    ["arn:aws:iam::123456789012:root", undefined],
    ["arn:aws:sts::123456789012:federated-user/ada", undefined],
  ])("of %s is %s", (caller, principal) => expect(findPrincipal(caller)).toBe(principal));
});
