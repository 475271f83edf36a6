"""Contrail in front of moto: who made which call, also with keys that moto has handed out and after a restart; and no
secret that went through in the data folder or in a log that has everything."""

import io
import json
import os
import pathlib
import time
import urllib.parse
import urllib.request
import uuid
import zipfile

os.environ["CONTRAIL__SERVER__LOG_LEVEL"] = "trace"
os.environ["CONTRAIL__LIMITS__LOOKUP_EVENTS_PER_SECOND"] = "0"

import boto3  # noqa: E402
from botocore.config import Config  # noqa: E402

from identify_trial import contrail_in_front  # noqa: E402
from trial import equal, step  # noqa: E402

MOTO = os.environ["AWS_ENDPOINT_URL"]
ROLE = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
# A name that nothing else in moto has.
UNIQUE = f"records-{uuid.uuid4().hex[:8]}"
secrets = {}


def secret(what):
    """A new secret, which must be found nowhere."""
    return secrets.setdefault(what, f"s3cr3t-{uuid.uuid4().hex}")


def client(name, address, credentials=None):
    keys = credentials and {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials.get("SessionToken"),
    }
    return boto3.client(name, endpoint_url=f"http://{address}", config=Config(retries={"total_max_attempts": 1}), **keys or {})


def handed_out(what, credentials):
    """Takes note of the secrets in credentials."""
    secrets[f"key of {what}"] = credentials["SecretAccessKey"]
    if "SessionToken" in credentials:
        secrets[f"token of {what}"] = credentials["SessionToken"]
    return credentials


def package():
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("index.py", f"KEY = '{secret('code')}'")
    return archive.getvalue()


def callers(address):
    """A user is made, its key used, and a role assumed."""
    iam = client("iam", address)
    iam.create_user(UserName=UNIQUE)
    iam.create_login_profile(UserName=UNIQUE, Password=secret("password"))
    key = handed_out("user", iam.create_access_key(UserName=UNIQUE)["AccessKey"])
    role = iam.create_role(RoleName=f"{UNIQUE}-role", AssumeRolePolicyDocument=json.dumps(ROLE))["Role"]["Arn"]
    sts = client("sts", address, key)
    assumed = sts.assume_role(RoleArn=role, RoleSessionName=f"{UNIQUE}-session")["Credentials"]
    handed_out("role", assumed)
    handed_out("federated", sts.get_federation_token(Name=UNIQUE[:30])["Credentials"])
    handed_out("session", sts.get_session_token()["Credentials"])
    client("sqs", address, assumed).create_queue(QueueName=UNIQUE)
    return key["AccessKeyId"], assumed, role


def work(address, assumed):
    """Calls that hold secrets, by the role."""
    make = lambda name: client(name, address, assumed)
    ssm, secretsmanager, kms, rds = (make(name) for name in ("ssm", "secretsmanager", "kms", "rds"))
    ssm.put_parameter(Name=f"/{UNIQUE}", Value=secret("parameter"), Type="SecureString")
    ssm.get_parameter(Name=f"/{UNIQUE}", WithDecryption=True)
    secretsmanager.create_secret(Name=UNIQUE, SecretString=secret("string"))
    secretsmanager.put_secret_value(SecretId=UNIQUE, SecretString=secret("string"))
    secretsmanager.get_secret_value(SecretId=UNIQUE)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    sealed = kms.encrypt(KeyId=key, Plaintext=secret("plain"))["CiphertextBlob"]
    kms.decrypt(CiphertextBlob=sealed)
    rds.create_db_instance(DBInstanceIdentifier=UNIQUE, DBInstanceClass="db.t3.micro", Engine="mysql",
                           MasterUsername="admin", MasterUserPassword=secret("database"), AllocatedStorage=10)
    role = "arn:aws:iam::123456789012:role/" + UNIQUE + "-role"
    make("lambda").create_function(FunctionName=UNIQUE, Runtime="python3.12", Role=role, Handler="index.f",
                                   Code={"ZipFile": package()}, Environment={"Variables": {"A": secret("variable")}})
    sqs, sns, ec2, s3 = (make(name) for name in ("sqs", "sns", "ec2", "s3"))
    queue = sqs.get_queue_url(QueueName=UNIQUE)["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody=secret("message"))
    sqs.receive_message(QueueUrl=queue)
    topic = sns.create_topic(Name=UNIQUE)["TopicArn"]
    sns.publish(TopicArn=topic, Message=secret("notice"), Subject=secret("subject"))
    image = ec2.describe_images()["Images"][0]["ImageId"]
    ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, UserData=secret("user data"))
    pair = ec2.create_key_pair(KeyName=UNIQUE)["KeyMaterial"]
    secrets["private key"] = pair.splitlines()[2]
    template = {"Parameters": {"Pw": {"Type": "String"}}, "Resources": {"T": {"Type": "AWS::SNS::Topic"}}}
    make("cloudformation").create_stack(StackName=UNIQUE, TemplateBody=json.dumps(template), Parameters=[
        {"ParameterKey": "Pw", "ParameterValue": secret("stack")}])
    environment = [{"name": "A", "value": secret("container")}]
    make("ecs").register_task_definition(family=UNIQUE, containerDefinitions=[
        {"name": "n", "image": "i", "memory": 64, "environment": environment}])
    dynamodb = make("dynamodb")
    dynamodb.create_table(TableName=UNIQUE, AttributeDefinitions=[{"AttributeName": "Id", "AttributeType": "S"}],
                          KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST")
    dynamodb.put_item(TableName=UNIQUE, Item={"Id": {"S": "1"}, "Card": {"S": secret("item")}})
    s3.create_bucket(Bucket=UNIQUE)
    s3.put_object(Bucket=UNIQUE, Key="k", Body=secret("object"))
    url = s3.generate_presigned_url("get_object", Params={"Bucket": UNIQUE, "Key": "k"})
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
    secrets["signature"] = query.get("X-Amz-Signature") or query["Signature"]
    urllib.request.urlopen(url).read()


def found(address, attribute, value):
    """The names of the events that a lookup finds."""
    attributes = [{"AttributeKey": attribute, "AttributeValue": value}]
    events = client("cloudtrail", address).lookup_events(LookupAttributes=attributes)["Events"]
    return {event["EventName"] for event in events}


def every_step_is_found(address, key, assumed, role):
    by_user = {"AssumeRole", "GetFederationToken", "GetSessionToken"}
    equal(found(address, "Username", UNIQUE), by_user)
    equal(found(address, "AccessKeyId", key), by_user)
    assert "CreateQueue" in found(address, "Username", f"{UNIQUE}-session")
    assert "CreateQueue" in found(address, "AccessKeyId", assumed["AccessKeyId"])
    equal(found(address, "ResourceName", UNIQUE) & {"CreateUser", "CreateAccessKey"}, {"CreateUser", "CreateAccessKey"})
    equal(found(address, "ResourceName", key), {"CreateAccessKey"})
    equal(found(address, "ResourceName", assumed["AccessKeyId"]), {"AssumeRole"})
    assert "AssumeRole" in found(address, "ResourceName", role)


def main():
    with contrail_in_front(MOTO) as address:
        step("a user is made, its key used, a role assumed")
        key, assumed, role = callers(address)
        work(address, assumed)
        flush = urllib.request.Request(f"http://{address}/_contrail/flush", method="POST")
        urllib.request.urlopen(flush).read()
        every_step_is_found(address, key, assumed, role)
    log = pathlib.Path("contrail.log").read_text()
    step("the same after a restart, and the key is still the role's")
    with contrail_in_front(MOTO) as address:
        every_step_is_found(address, key, assumed, role)
        client("sqs", address, assumed).create_queue(QueueName=f"{UNIQUE}-2")
        with urllib.request.urlopen(f"http://{address}/_contrail/events?event_name=CreateQueue") as answer:
            last = [json.loads(line) for line in answer][-1]
        equal(last["requestParameters"]["queueName"], f"{UNIQUE}-2")
        equal(last["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"], role)
    step("no secret is anywhere")
    places = {"log": log + pathlib.Path("contrail.log").read_text()}
    for file in pathlib.Path("data").rglob("*"):
        if file.is_file():
            places[str(file)] = file.read_bytes().decode("latin-1")
    assert any(UNIQUE in text for text in places.values()), "nothing is there at all"
    for what, text in secrets.items():
        for place, content in places.items():
            assert text not in content, f"the {what} is in {place}"
    assert len(secrets) >= 24, sorted(secrets)


if __name__ == "__main__":
    main()
