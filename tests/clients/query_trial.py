"""boto3's trial once more, in the query protocol: botocore is told that it is CloudTrail's, writes the forms by CloudTrail's
model, and reads the XML by it."""

from botocore.loaders import Loader

load = Loader.load_service_model


def in_query(self, service_name, type_name, api_version=None):
    model = load(self, service_name, type_name, api_version)
    if (service_name, type_name) != ("cloudtrail", "service-2"):
        return model
    protocol = {"protocol": "query", "protocols": ["query"], "xmlNamespace": "http://cloudtrail.amazonaws.com/doc/2013-11-01/"}
    model["metadata"] |= protocol
    for name, operation in model["operations"].items():
        operation["output"]["resultWrapper"] = f"{name}Result"
    return model


Loader.load_service_model = in_query

import boto3_trial
from boto3_trial import ARN, client
from trial import equal, step

equal(client.meta.service_model.protocol, "query")

step("sends and reads every kind of member")
tags = [{"Key": "team", "Value": "true"}, {"Key": "odd", "Value": "a + b = c"}]
client.create_trail(Name="audit", S3BucketName="boto3-logs", IsMultiRegionTrail=True, TagsList=tags)
equal(client.list_tags(ResourceIdList=[ARN])["ResourceTagList"], [{"ResourceId": ARN, "TagsList": tags}])
conditions = [{"Field": "eventCategory", "Equals": ["Data"]}, {"Field": "resources.type", "Equals": ["AWS::S3::Object"]}]
advanced = [{"Name": "objects", "FieldSelectors": conditions}]
equal(client.put_event_selectors(TrailName="audit", AdvancedEventSelectors=advanced)["AdvancedEventSelectors"], advanced)
values = [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::a/", "arn:aws:s3:::b/"]}]
basic = [{"ReadWriteType": "All", "IncludeManagementEvents": False, "DataResources": values, "ExcludeManagementEventSources": []}]
client.put_event_selectors(TrailName="audit", EventSelectors=basic)
equal(client.get_event_selectors(TrailName="audit")["EventSelectors"], basic)
client.put_event_selectors(TrailName="audit", EventSelectors=[{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}])
insights = [{"InsightType": "ApiCallRateInsight"}]
equal(client.put_insight_selectors(TrailName="audit", InsightSelectors=insights)["InsightSelectors"], insights)
equal([trail["TrailARN"] for trail in client.list_trails()["Trails"]], [ARN])
(key,) = client.list_public_keys()["PublicKeyList"]
assert len(key["Value"]) == 270 and key["ValidityStartTime"] < key["ValidityEndTime"], key
client.delete_trail(Name="audit")
