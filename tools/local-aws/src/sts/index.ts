import { randomBytes } from "node:crypto";
import type { Service, ServiceContext } from "../service.ts";

/** Hands out credentials; the key of an assumed role says which role it stands for in the record. */
export function createService({ store, now, accountId }: ServiceContext): Service {
  return {
    operations: {
      async AssumeRole({ RoleArn, RoleSessionName, DurationSeconds = "3600" }) {
        const AccessKeyId = `ASIA${randomBytes(8).toString("hex").toUpperCase()}`;
        const arn = `${RoleArn.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/")}/${RoleSessionName}`;
        store.put(`session ${AccessKeyId}`, { arn });
        return {
          Credentials: {
            AccessKeyId,
            SecretAccessKey: randomBytes(20).toString("hex"),
            SessionToken: randomBytes(20).toString("hex"),
            Expiration: new Date(now() + Number(DurationSeconds) * 1000),
          },
          AssumedRoleUser: { Arn: arn, AssumedRoleId: `AROALOCAL:${RoleSessionName}` },
        };
      },
      async GetCallerIdentity(_input, { accessKeyId }) {
        const session = store.get<{ arn: string }>(`session ${accessKeyId}`);
        const Arn = session?.arn ?? `arn:aws:iam::${accountId}:user/local`;
        return { Account: accountId, Arn, UserId: accessKeyId };
      },
    },
  };
}
