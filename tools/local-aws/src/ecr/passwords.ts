import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { ServiceContext } from "../service.ts";

/** @see https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html */
const validForMs = 12 * 60 * 60 * 1000;

export type Passwords = ReturnType<typeof createPasswords>;

/** Passwords that say themselves until when they are good, so that none has to be kept. */
export function createPasswords({ store, now }: Pick<ServiceContext, "store" | "now">) {
  const key = store.get<string>("password key") ?? randomBytes(32).toString("hex");
  store.put("password key", key);
  const sign = (expiresAt: string) => createHmac("sha256", key).update(expiresAt).digest("hex");
  return {
    /** `expiresAt` is epoch milliseconds. */
    issue(): { password: string; expiresAt: number } {
      const expiresAt = now() + validForMs;
      return { password: `${expiresAt}.${sign(String(expiresAt))}`, expiresAt };
    },
    check(password: string): "good" | "expired" | "wrong" {
      const [expiresAt = "", signature = ""] = password.split(".");
      const expected = Buffer.from(sign(expiresAt));
      const given = Buffer.from(signature);
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return "wrong";
      return Number(expiresAt) > now() ? "good" : "expired";
    },
  };
}
