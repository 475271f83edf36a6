// DescribeTrails by the AWS SDK for JavaScript, version 3: prints how many trails there are, or the error's name.

import { CloudTrailClient, DescribeTrailsCommand } from "@aws-sdk/client-cloudtrail";

const client = new CloudTrailClient({ maxAttempts: 1 });
try {
  const { trailList } = await client.send(new DescribeTrailsCommand({}));
  console.log(trailList.length);
} catch (error) {
  console.log(error.name);
}
