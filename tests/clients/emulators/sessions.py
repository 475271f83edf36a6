"""What programs ask of an emulator, service by service. Each session is the same whenever it is run on an emulator without state."""


def s3(call):
    body = bytes(range(256)) * 400
    call("create_bucket", Bucket="first-bucket")
    call("put_object", Bucket="first-bucket", Key="a b/ü", Body=body, Metadata={"team": "blue"}, ContentType="image/png")
    call("get_object", Bucket="first-bucket", Key="a b/ü")
    call("get_object", Bucket="first-bucket", Key="a b/ü", Range="bytes=10-19")
    call("head_object", Bucket="first-bucket", Key="a b/ü")
    call("copy_object", Bucket="first-bucket", Key="copy", CopySource={"Bucket": "first-bucket", "Key": "a b/ü"})
    call("list_objects_v2", Bucket="first-bucket")
    call("get_object", Bucket="first-bucket", Key="absent")
    call("head_object", Bucket="first-bucket", Key="absent")
    upload = call("create_multipart_upload", Bucket="first-bucket", Key="parts").get("UploadId", "absent")
    part = call("upload_part", Bucket="first-bucket", Key="parts", UploadId=upload, PartNumber=1, Body=body).get("ETag", "")
    call("complete_multipart_upload", Bucket="first-bucket", Key="parts", UploadId=upload,
         MultipartUpload={"Parts": [{"ETag": part, "PartNumber": 1}]})
    call("delete_bucket", Bucket="first-bucket")
    call("delete_objects", Bucket="first-bucket", Delete={"Objects": [{"Key": "copy"}, {"Key": "parts"}]})
    call("delete_object", Bucket="first-bucket", Key="a b/ü")
    call("delete_bucket", Bucket="first-bucket")
    call("list_buckets")


def sqs(call):
    url = call("create_queue", QueueName="first-queue", Attributes={"VisibilityTimeout": "5"})["QueueUrl"]
    call("get_queue_url", QueueName="first-queue")
    call("send_message", QueueUrl=url, MessageBody="one & two")
    found = call("receive_message", QueueUrl=url, WaitTimeSeconds=1).get("Messages", [])
    for message in found:
        call("delete_message", QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    call("get_queue_attributes", QueueUrl=url, AttributeNames=["VisibilityTimeout"])
    call("get_queue_url", QueueName="absent")
    call("delete_queue", QueueUrl=url)


def sns(call):
    topic = call("create_topic", Name="first-topic")["TopicArn"]
    call("publish", TopicArn=topic, Message="hello")
    call("get_topic_attributes", TopicArn=topic)
    call("publish", TopicArn=topic + "-absent", Message="hello")
    call("delete_topic", TopicArn=topic)


def dynamodb(call):
    call("create_table", TableName="first", AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
         KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
         ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1})
    call.until("describe_table", lambda found: found["Table"]["TableStatus"] == "ACTIVE", TableName="first")
    call("put_item", TableName="first", Item={"id": {"S": "a"}, "n": {"N": "7"}})
    call("get_item", TableName="first", Key={"id": {"S": "a"}})
    call("put_item", TableName="first", Item={"id": {"S": "a"}}, ConditionExpression="attribute_not_exists(id)")
    call("scan", TableName="first")
    call("describe_table", TableName="absent")


def kinesis(call):
    call("create_stream", StreamName="first", ShardCount=1)
    described = call.until("describe_stream", lambda found: found["StreamDescription"]["StreamStatus"] == "ACTIVE",
                           StreamName="first")
    call("put_record", StreamName="first", Data=b"one", PartitionKey="k")
    shard = described["StreamDescription"]["Shards"][0]["ShardId"]
    at = call("get_shard_iterator", StreamName="first", ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    call("get_records", ShardIterator=at["ShardIterator"])
    call("describe_stream", StreamName="absent")


def iam(call):
    call("create_user", UserName="carla")
    call("create_user", UserName="carla")
    call("create_access_key", UserName="carla")
    call("get_user", UserName="absent")


def sts(call):
    call("get_caller_identity")


def secretsmanager(call):
    call("create_secret", Name="first", SecretString="hidden")
    call("get_secret_value", SecretId="first")
    call("get_secret_value", SecretId="absent")


def ssm(call):
    call("put_parameter", Name="/first", Value="one", Type="String")
    call("get_parameter", Name="/first")
    call("get_parameter", Name="/absent")


def kms(call):
    key = call("create_key", Description="first")["KeyMetadata"]["KeyId"]
    call("encrypt", KeyId=key, Plaintext=b"hidden")
    call("describe_key", KeyId="absent")


def ec2(call):
    vpc = call("create_vpc", CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    call("describe_vpcs", VpcIds=[vpc])
    call("describe_vpcs", VpcIds=["vpc-00000000"])


def logs(call):
    call("create_log_group", logGroupName="/first")
    call("create_log_group", logGroupName="/first")
    call("describe_log_groups", logGroupNamePrefix="/first")
