//! Records to look at: a day of a small team, made up, the same each time but for the hour; and records that attack the
//! page that shows them.

const ACCOUNT = '111122223333';
const SERVICES = {
  ssm: ['GetParameter', 'DescribeParameters', 'PutParameter', 'DeleteParameter'],
  ec2: ['DescribeInstances', 'RunInstances', 'TerminateInstances', 'DescribeVolumes'],
  iam: ['GetRole', 'ListUsers', 'CreateUser', 'DeleteRolePolicy', 'AttachRolePolicy'],
  kms: ['Decrypt', 'DescribeKey', 'ListAliases'],
  sts: ['AssumeRole', 'GetCallerIdentity'],
  dynamodb: ['DescribeTable', 'CreateTable', 'UpdateTable'],
  secretsmanager: ['GetSecretValue', 'ListSecrets', 'PutSecretValue'],
  cloudtrail: ['LookupEvents', 'DescribeTrails', 'StopLogging'],
};
/** What their calls name. */
const PARAMETERS = {
  ssm: (pick) => ({ name: `/app/${pick(9)}/setting` }),
  ec2: (pick) => ({ instancesSet: { items: [{ instanceId: `i-0c${pick(40)}f31` }] } }),
  iam: (pick) => ({
    userName: `user-${pick(5)}`,
    roleName: `service-${pick(6)}`,
    policyArn: 'arn:aws:iam::aws:policy/ReadOnlyAccess',
    policyDocument: '{"Version":"2012-10-17","Statement":[]}',
  }),
  kms: (pick) => ({ keyId: `alias/app-${pick(4)}` }),
  sts: (pick) => ({ roleArn: `arn:aws:iam::${ACCOUNT}:role/Deploy`, roleSessionName: PEOPLE[pick(4)] }),
  dynamodb: (pick) => ({ tableName: `orders-${pick(5)}` }),
  secretsmanager: (pick) => ({ secretId: `app/${pick(7)}/password` }),
  cloudtrail: () => ({ name: 'audit' }),
};
const READS = /^(Get|List|Describe|Decrypt|Lookup|AssumeRole)/;
const PEOPLE = ['ana', 'bob', 'carla', 'deploy-bot'];

const iso = (seconds) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
const id = (n) => `00000000-0000-4000-a000-${String(n).padStart(12, '0')}`;

/** Numbers that look random and are the same each time. */
function chance(seed) {
  let state = seed;
  return (n) => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return Math.floor((state / 2147483648) * n);
  };
}

function identity(n) {
  if (n % 41 === 0)
    return {
      type: 'Root',
      principalId: ACCOUNT,
      arn: `arn:aws:iam::${ACCOUNT}:root`,
      accountId: ACCOUNT,
      accessKeyId: 'ASIAROOT',
    };
  if (n % 7 === 0) return { type: 'AWSService', invokedBy: 'autoscaling.amazonaws.com' };
  const name = PEOPLE[n % PEOPLE.length];
  if (n % 3 === 0)
    return {
      type: 'AssumedRole',
      principalId: `AROAEXAMPLE:${name}`,
      arn: `arn:aws:sts::${ACCOUNT}:assumed-role/Deploy/${name}`,
      accountId: ACCOUNT,
      accessKeyId: `ASIA${name.toUpperCase()}`,
      sessionContext: {
        sessionIssuer: { type: 'Role', arn: `arn:aws:iam::${ACCOUNT}:role/Deploy`, userName: 'Deploy' },
        attributes: { mfaAuthenticated: 'false', creationDate: '2026-01-01T00:00:00Z' },
      },
    };
  return {
    type: 'IAMUser',
    principalId: 'AIDAEXAMPLE',
    arn: `arn:aws:iam::${ACCOUNT}:user/${name}`,
    accountId: ACCOUNT,
    accessKeyId: `AKIA${name.toUpperCase()}`,
    userName: name,
  };
}

/** `count` records over the last 24 hours before `now` (seconds), newest a minute ago. */
export function day(now, count = 2600) {
  const pick = chance(42);
  return Array.from({ length: count }, (_, n) => {
    const service = Object.keys(SERVICES)[pick(8)];
    const name = SERVICES[service][pick(SERVICES[service].length)];
    const refused = pick(17) === 0;
    return {
      eventVersion: '1.11',
      userIdentity: identity(n),
      eventTime: iso(now - 60 - Math.floor((n * 86000) / count)),
      eventSource: `${service}.amazonaws.com`,
      eventName: name,
      awsRegion: ['us-east-1', 'us-east-1', 'eu-west-1'][pick(3)],
      sourceIPAddress: `192.0.2.${pick(12)}`,
      userAgent: 'aws-cli/2.30.0',
      ...(refused
        ? { errorCode: 'AccessDenied', errorMessage: `User is not authorized to perform: ${service}:${name}` }
        : {}),
      requestParameters: PARAMETERS[service](pick),
      responseElements: READS.test(name) || refused ? null : { requestId: id(n), done: true },
      requestID: id(n + 500000),
      eventID: id(n),
      readOnly: READS.test(name),
      eventType: 'AwsApiCall',
      managementEvent: true,
      recipientAccountId: ACCOUNT,
      eventCategory: 'Management',
    };
  });
}

/** Accounts of a team's test environment. */
export const ACCOUNTS = Array.from({ length: 12 }, (_, n) => `${111122223333 + n * 11111111}`);

/** A day of a team with twelve accounts: calls of all of them, objects that are read and written, and a role that is assumed. */
export function team(now) {
  const pick = chance(7);
  const calls = day(now, 900).map((record, n) => ({
    ...record,
    eventID: id(n + 700000),
    recipientAccountId: ACCOUNTS[pick(12)],
    awsRegion: ['us-east-1', 'eu-west-1', 'ap-southeast-2'][pick(3)],
  }));
  const objects = Array.from({ length: 300 }, (_, n) => {
    const bucket = `uploads-${pick(4)}`,
      key = `2026/${pick(12)}/report-${pick(60)}.parquet`;
    return {
      ...calls[n],
      eventID: id(n + 800000),
      eventTime: iso(now - 90 - n * 280),
      eventSource: 's3.amazonaws.com',
      eventName: ['GetObject', 'PutObject', 'HeadObject'][pick(3)],
      readOnly: true,
      managementEvent: false,
      eventCategory: 'Data',
      requestParameters: { bucketName: bucket, key },
      resources: [
        { type: 'AWS::S3::Object', ARN: `arn:aws:s3:::${bucket}/${key}` },
        { accountId: ACCOUNTS[n % 12], type: 'AWS::S3::Bucket', ARN: `arn:aws:s3:::${bucket}` },
      ],
    };
  });
  const assumed = {
    ...calls[0],
    eventID: 'assumed',
    eventTime: iso(now - 30),
    eventSource: 'sts.amazonaws.com',
    eventName: 'AssumeRole',
    readOnly: true,
    errorCode: undefined,
    errorMessage: undefined,
    userIdentity: identity(3),
    requestParameters: { roleArn: `arn:aws:iam::${ACCOUNTS[0]}:role/release/deployer`, roleSessionName: 'release-42' },
    responseElements: {
      credentials: { accessKeyId: 'ASIANEWKEY', expiration: 'Jan 1, 2027, 1:00:00 AM' },
      assumedRoleUser: {
        assumedRoleId: 'AROAEXAMPLE:release-42',
        arn: `arn:aws:sts::${ACCOUNTS[0]}:assumed-role/deployer/release-42`,
      },
    },
  };
  // Empty members, as AWS writes them for some of its services.
  const empty = {
    ...calls[1],
    eventID: 'empty-members',
    eventTime: iso(now - 40),
    userIdentity: { type: 'IAMUser', userName: 'nobody', accessKeyId: '' },
    sourceIPAddress: '',
    errorCode: '',
    errorMessage: '',
  };
  const long = {
    ...calls[2],
    eventID: 'long-type',
    eventTime: iso(now - 50),
    eventSource: 'states.amazonaws.com',
    eventName: 'StartExecution',
    managementEvent: false,
    eventCategory: 'Data',
    requestParameters: {
      stateMachineArn: `arn:aws:states:us-east-1:${ACCOUNTS[0]}:stateMachine:order-processing-with-a-long-name`,
    },
  };
  const tagged = {
    ...calls[3],
    eventID: 'many-targets',
    eventTime: iso(now - 60),
    eventSource: 'ec2.amazonaws.com',
    eventName: 'CreateTags',
    readOnly: false,
    requestParameters: {
      resourcesSet: { items: Array.from({ length: 30 }, (_, n) => ({ resourceId: `i-0a${n}` })) },
    },
  };
  return [...calls, ...objects, assumed, empty, long, tagged];
}

/** Records in which everything is hostile. */
export function hostile(now) {
  const base = {
    eventVersion: '1.11',
    awsRegion: 'us-east-1',
    recipientAccountId: ACCOUNT,
    eventType: 'AwsApiCall',
    readOnly: false,
    eventSource: 's3.amazonaws.com',
    sourceIPAddress: '198.51.100.7',
    userAgent: 'Mozilla/5.0 <b>bold</b>',
  };
  return [
    {
      ...base,
      eventTime: iso(now - 5),
      eventID: 'hostile-1',
      eventName: '<img src=x onerror=alert(1)>',
      userIdentity: {
        type: 'IAMUser',
        userName: '"><script>alert(2)</script>\u202egnp',
        accessKeyId: "AKIA' OR 1=1--",
      },
      errorCode: '</style><svg onload=alert(3)>',
      errorMessage: 'javascript:alert(4)',
      requestParameters: JSON.parse(
        '{"__proto__":{"polluted":true},"bucketName":"gpj.\\u202egnp","nul":"a\\u0000b\\nsecond line","deep":{"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":[1,[2,[3,[4,[5]]]]]}}}}}}}}}',
      ),
    },
    {
      ...base,
      eventTime: iso(now - 6),
      eventID: 'hostile-2',
      eventName: 'X'.repeat(900),
      userIdentity: { type: 'AssumedRole', arn: `arn:aws:sts::${ACCOUNT}:assumed-role/${'long-'.repeat(200)}/s` },
      requestParameters: { big: 'y'.repeat(20000), list: Array.from({ length: 500 }, (_, i) => ({ i })) },
    },
    {
      ...base,
      eventTime: iso(now - 7),
      eventID: '../../reset?everything=yes',
      eventName: '!important*',
      userIdentity: { type: 'IAMUser', userName: '!not*' },
      resources: [{ ARN: 'arn:aws:s3:::b/*', type: '<i>' }],
    },
    {
      eventTime: iso(now - 8),
      eventID: 'hostile-4',
      eventName: 'NoIdentityAtAll',
      eventSource: 'x',
      awsRegion: 'us-east-1',
    },
  ];
}
