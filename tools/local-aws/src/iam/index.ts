import { type Service, type ServiceContext, ServiceException } from "../service.ts";
import { checkPermissions, checkTrust, decide, findMostRestrictive, type PolicyDocument } from "./policy.ts";

interface Role {
  readonly RoleName: string;
  readonly Path: string;
  readonly AssumeRolePolicyDocument: string;
  readonly Description?: string;
  readonly MaxSessionDuration?: number;
  readonly PermissionsBoundary?: string;
  readonly CreateDate: number;
  readonly inline: Readonly<Record<string, string>>;
  readonly attached: readonly string[];
}

/** @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const policiesPerRole = 10;
/** White space aside. */
const policyMaxCharacters = 6144;

function refuseOver(quota: string, limit: number, count: number): void {
  if (count <= limit) return;
  throw new ServiceException("LimitExceeded", `Cannot exceed quota for ${quota}: ${limit}`, 409);
}

/** @throws ServiceException for a managed policy that is none, or too long */
function checkManagedPolicy(document: string): void {
  checkPermissions(document);
  refuseOver("PolicySize", policyMaxCharacters, document.replace(/\s/g, "").length);
}

/** Roles, policies and identity providers: kept, and asked by `SimulatePrincipalPolicy`; nothing here refuses a call. */
export function createService({ store, now, accountId }: ServiceContext): Service {
  const load = (name: string) => store.get<Role>(`role ${name}`);
  const arnOf = ({ Path, RoleName }: Role) => `arn:aws:iam::${accountId}:role${Path}${RoleName}`;

  function mustFind(name: string): Role {
    const role = load(name);
    if (role === undefined)
      throw new ServiceException("NoSuchEntity", `The role with name ${name} cannot be found.`, 404);
    return role;
  }

  const change = (name: string, changes: Partial<Role>) =>
    store.put(`role ${name}`, { ...mustFind(name), ...changes });
  const describe = ({ inline: _inline, attached: _attached, CreateDate, ...role }: Role) => ({
    ...role,
    Arn: arnOf({ ...role, inline: {}, attached: [], CreateDate }),
    RoleId: `AROA${role.RoleName}`.slice(0, 21),
    CreateDate: new Date(CreateDate),
    AssumeRolePolicyDocument: encodeURIComponent(role.AssumeRolePolicyDocument),
  });

  function policiesOf(role: Role): PolicyDocument[] {
    const managed = role.attached.map((arn) => store.get<{ document: string }>(`policy ${arn}`)?.document);
    return [...Object.values(role.inline), ...managed].flatMap((text) =>
      text === undefined ? [] : [JSON.parse(text)],
    );
  }

  return {
    operations: {
      async CreateRole(input) {
        const {
          RoleName,
          Path = "/",
          AssumeRolePolicyDocument,
          Description,
          MaxSessionDuration,
          PermissionsBoundary,
        } = input;
        if (load(RoleName) !== undefined) {
          throw new ServiceException(
            "EntityAlreadyExists",
            `Role with name ${RoleName} already exists.`,
            409,
          );
        }
        checkTrust(AssumeRolePolicyDocument);
        const role: Role = {
          RoleName,
          Path,
          AssumeRolePolicyDocument,
          Description,
          MaxSessionDuration,
          PermissionsBoundary,
          CreateDate: now(),
          inline: {},
          attached: [],
        };
        store.put(`role ${RoleName}`, role);
        return { Role: describe(role) };
      },
      async UpdateRole({ RoleName, ...changes }) {
        change(RoleName, changes);
        return {};
      },
      async UpdateAssumeRolePolicy({ RoleName, PolicyDocument }) {
        checkTrust(PolicyDocument);
        change(RoleName, { AssumeRolePolicyDocument: PolicyDocument });
        return {};
      },
      GetRole: async ({ RoleName }) => ({ Role: describe(mustFind(RoleName)) }),
      ListRoles: async () => ({
        Roles: store.keys("role ").map((key) => describe(store.get<Role>(key) as Role)),
        IsTruncated: false,
      }),
      async DeleteRole({ RoleName }) {
        mustFind(RoleName);
        store.delete(`role ${RoleName}`);
        return {};
      },
      async PutRolePolicy({ RoleName, PolicyName, PolicyDocument }) {
        checkPermissions(PolicyDocument);
        change(RoleName, { inline: { ...mustFind(RoleName).inline, [PolicyName]: PolicyDocument } });
        return {};
      },
      async GetRolePolicy({ RoleName, PolicyName }) {
        const PolicyDocument = mustFind(RoleName).inline[PolicyName];
        if (PolicyDocument === undefined) {
          throw new ServiceException(
            "NoSuchEntity",
            `The role policy with name ${PolicyName} cannot be found.`,
            404,
          );
        }
        return { RoleName, PolicyName, PolicyDocument: encodeURIComponent(PolicyDocument) };
      },
      async DeleteRolePolicy({ RoleName, PolicyName }) {
        const { [PolicyName]: _removed, ...inline } = mustFind(RoleName).inline;
        change(RoleName, { inline });
        return {};
      },
      async AttachRolePolicy({ RoleName, PolicyArn }) {
        const attached = [...new Set([...mustFind(RoleName).attached, PolicyArn])];
        refuseOver("PoliciesPerRole", policiesPerRole, attached.length);
        change(RoleName, { attached });
        return {};
      },
      async DetachRolePolicy({ RoleName, PolicyArn }) {
        change(RoleName, { attached: mustFind(RoleName).attached.filter((arn) => arn !== PolicyArn) });
        return {};
      },
      async CreatePolicy({ PolicyName, Path = "/", PolicyDocument, Description }) {
        checkManagedPolicy(PolicyDocument);
        const Arn = `arn:aws:iam::${accountId}:policy${Path}${PolicyName}`;
        store.put(`policy ${Arn}`, { PolicyName, document: PolicyDocument, Description });
        return { Policy: { Arn, PolicyName } };
      },
      async CreatePolicyVersion({ PolicyArn, PolicyDocument }) {
        checkManagedPolicy(PolicyDocument);
        store.put(`policy ${PolicyArn}`, {
          ...store.get<object>(`policy ${PolicyArn}`),
          document: PolicyDocument,
        });
        return {};
      },
      async DeletePolicy({ PolicyArn }) {
        store.delete(`policy ${PolicyArn}`);
        return {};
      },
      async CreateOpenIDConnectProvider({ Url, ClientIDList, ThumbprintList }) {
        const OpenIDConnectProviderArn = `arn:aws:iam::${accountId}:oidc-provider/${Url.replace("https://", "")}`;
        store.put(`oidc ${OpenIDConnectProviderArn}`, { Url, ClientIDList, ThumbprintList });
        return { OpenIDConnectProviderArn };
      },
      async DeleteOpenIDConnectProvider({ OpenIDConnectProviderArn }) {
        store.delete(`oidc ${OpenIDConnectProviderArn}`);
        return {};
      },
      /**
       * Callers that are no role may do everything, as the account's administrator. Resources are named in
       * `ResourceSpecificResults` alone: beside the action AWS has the pattern of such ARNs or `*`, which it always is
       * here.
       * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html
       */
      async SimulatePrincipalPolicy({ PolicySourceArn, ActionNames, ResourceArns = ["*"] }) {
        const role = load(PolicySourceArn.split("/").at(-1) ?? "");
        const policies = role && policiesOf(role);
        const EvaluationResults = (ActionNames as string[]).map((EvalActionName) => {
          const results = (ResourceArns as string[]).map((EvalResourceName) => ({
            EvalResourceName,
            EvalResourceDecision:
              policies === undefined ? "allowed" : decide(policies, EvalActionName, EvalResourceName),
          }));
          const named = results.filter(({ EvalResourceName }) => EvalResourceName !== "*");
          return {
            EvalActionName,
            EvalResourceName: "*",
            EvalDecision: findMostRestrictive(results.map((result) => result.EvalResourceDecision)),
            ...(named.length > 0 && { ResourceSpecificResults: named }),
          };
        });
        return { IsTruncated: false, EvaluationResults };
      },
    },
  };
}
