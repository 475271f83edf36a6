// The AWS SDK for Go v2: typed answers, typed refusals, and paginators.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/smithy-go"
)

var (
	account = os.Getenv("AWS_ACCESS_KEY_ID")
	ctx     = context.Background()
	trail   *cloudtrail.Client
)

func step(text string) { fmt.Println(text) }

func check(isTrue bool, format string, values ...any) {
	if !isTrue {
		fmt.Fprintf(os.Stderr, format+"\n", values...)
		os.Exit(1)
	}
}

// must is what a call answered that must succeed.
func must[T any](answer T, err error) T {
	check(err == nil, "%T: %v", answer, err)
	return answer
}

// refused wants an error of the type that the SDK has for it.
func refused[E smithy.APIError](_ any, err error) {
	var wanted E
	check(errors.As(err, &wanted), "%v is no %T", err, wanted)
	check(wanted.ErrorMessage() != "", "%T says nothing", wanted)
}

func configure() {
	credentials := func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: account, SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY")}, nil
	}
	trail = cloudtrail.New(cloudtrail.Options{
		Region:           "us-east-1",
		Credentials:      aws.CredentialsProviderFunc(credentials),
		EndpointResolver: cloudtrail.EndpointResolverFromURL(os.Getenv("AWS_ENDPOINT_URL_CLOUDTRAIL")),
		// A lookup waits for its second.
		Retryer: retry.NewStandard(func(options *retry.StandardOptions) { options.MaxAttempts = 20 }),
	})
}

func trails() {
	step("creates a trail")
	create := &cloudtrail.CreateTrailInput{
		Name: aws.String("gopher"), S3BucketName: aws.String("go-logs"), EnableLogFileValidation: aws.Bool(true),
		TagsList: []types.Tag{{Key: aws.String("team"), Value: aws.String("blue")}},
	}
	created := must(trail.CreateTrail(ctx, create))
	arn := fmt.Sprintf("arn:aws:cloudtrail:us-east-1:%s:trail/gopher", account)
	check(*created.TrailARN == arn && *created.LogFileValidationEnabled, "%+v", created)
	refused[*types.TrailAlreadyExistsException](trail.CreateTrail(ctx, create))
	refused[*types.InvalidTrailNameException](trail.CreateTrail(ctx, &cloudtrail.CreateTrailInput{
		Name: aws.String("a"), S3BucketName: aws.String("go-logs")}))
	absent := aws.String("absent")
	refused[*types.TrailNotFoundException](trail.GetTrail(ctx, &cloudtrail.GetTrailInput{Name: absent}))
	refused[*types.TrailNotFoundException](trail.StartLogging(ctx, &cloudtrail.StartLoggingInput{Name: absent}))

	step("reads it")
	name := created.Name
	got := must(trail.GetTrail(ctx, &cloudtrail.GetTrailInput{Name: name}))
	check(*got.Trail.HomeRegion == "us-east-1" && *got.Trail.TrailARN == arn, "%+v", got.Trail)
	described := must(trail.DescribeTrails(ctx, &cloudtrail.DescribeTrailsInput{TrailNameList: []string{arn}}))
	check(len(described.TrailList) == 1, "%+v", described)
	var listed []types.TrailInfo
	pages := cloudtrail.NewListTrailsPaginator(trail, &cloudtrail.ListTrailsInput{})
	for pages.HasMorePages() {
		listed = append(listed, must(pages.NextPage(ctx)).Trails...)
	}
	check(len(listed) == 1 && *listed[0].TrailARN == arn, "%+v", listed)
	status := must(trail.GetTrailStatus(ctx, &cloudtrail.GetTrailStatusInput{Name: name}))
	check(!*status.IsLogging && status.StartLoggingTime == nil, "%+v", status)

	step("starts it, and changes it")
	must(trail.StartLogging(ctx, &cloudtrail.StartLoggingInput{Name: name}))
	status = must(trail.GetTrailStatus(ctx, &cloudtrail.GetTrailStatusInput{Name: name}))
	check(*status.IsLogging && time.Since(*status.StartLoggingTime) < time.Minute, "%+v", status)
	updated := must(trail.UpdateTrail(ctx, &cloudtrail.UpdateTrailInput{Name: name, S3KeyPrefix: aws.String("go")}))
	check(*updated.S3KeyPrefix == "go", "%+v", updated)
	refused[*types.InvalidS3PrefixException](trail.UpdateTrail(ctx, &cloudtrail.UpdateTrailInput{
		Name: name, S3KeyPrefix: aws.String(strings.Repeat("a", 201))}))
	tags(arn)
	selectors(name)
	lookups()

	step("deletes it")
	must(trail.StopLogging(ctx, &cloudtrail.StopLoggingInput{Name: name}))
	status = must(trail.GetTrailStatus(ctx, &cloudtrail.GetTrailStatusInput{Name: name}))
	check(!*status.IsLogging && !status.StopLoggingTime.Before(*status.StartLoggingTime), "%+v", status)
	must(trail.DeleteTrail(ctx, &cloudtrail.DeleteTrailInput{Name: name}))
	refused[*types.TrailNotFoundException](trail.DeleteTrail(ctx, &cloudtrail.DeleteTrailInput{Name: name}))
}

func tags(arn string) {
	step("tags it")
	must(trail.AddTags(ctx, &cloudtrail.AddTagsInput{ResourceId: &arn, TagsList: []types.Tag{{Key: aws.String("cost")}}}))
	var found []types.Tag
	pages := cloudtrail.NewListTagsPaginator(trail, &cloudtrail.ListTagsInput{ResourceIdList: []string{arn}})
	for pages.HasMorePages() {
		for _, resource := range must(pages.NextPage(ctx)).ResourceTagList {
			found = append(found, resource.TagsList...)
		}
	}
	check(len(found) == 2, "%+v", found)
	must(trail.RemoveTags(ctx, &cloudtrail.RemoveTagsInput{ResourceId: &arn, TagsList: found}))
	refused[*types.CloudTrailARNInvalidException](trail.ListTags(ctx, &cloudtrail.ListTagsInput{ResourceIdList: []string{"x"}}))
}

func selectors(name *string) {
	step("chooses events")
	put := must(trail.PutEventSelectors(ctx, &cloudtrail.PutEventSelectorsInput{TrailName: name,
		AdvancedEventSelectors: []types.AdvancedEventSelector{
			{FieldSelectors: []types.AdvancedFieldSelector{
				{Field: aws.String("eventCategory"), Equals: []string{"Data"}},
				{Field: aws.String("resources.type"), Equals: []string{"AWS::S3::Object"}}}},
			{FieldSelectors: []types.AdvancedFieldSelector{
				{Field: aws.String("eventCategory"), Equals: []string{"Management"}}}}}}))
	check(len(put.AdvancedEventSelectors) == 2, "%+v", put)
	got := must(trail.GetEventSelectors(ctx, &cloudtrail.GetEventSelectorsInput{TrailName: name}))
	check(got.AdvancedEventSelectors[0].FieldSelectors[1].Equals[0] == "AWS::S3::Object", "%+v", got)
	refused[*types.InvalidEventSelectorsException](trail.PutEventSelectors(ctx, &cloudtrail.PutEventSelectorsInput{TrailName: name,
		EventSelectors: []types.EventSelector{{ReadWriteType: "Sometimes"}}}))
	refused[*types.InsightNotEnabledException](trail.GetInsightSelectors(ctx, &cloudtrail.GetInsightSelectorsInput{TrailName: name}))
	insight := []types.InsightSelector{{InsightType: types.InsightTypeApiErrorRateInsight}}
	must(trail.PutInsightSelectors(ctx, &cloudtrail.PutInsightSelectorsInput{TrailName: name, InsightSelectors: insight}))
	insights := must(trail.GetInsightSelectors(ctx, &cloudtrail.GetInsightSelectorsInput{TrailName: name}))
	check(insights.InsightSelectors[0].InsightType == types.InsightTypeApiErrorRateInsight, "%+v", insights)
}

func lookups() {
	step("looks events up, page by page")
	one := int32(1)
	pages := cloudtrail.NewLookupEventsPaginator(trail, &cloudtrail.LookupEventsInput{MaxResults: &one,
		LookupAttributes: []types.LookupAttribute{{AttributeKey: types.LookupAttributeKeyResourceName, AttributeValue: aws.String("gopher")}}})
	var names []string
	for pages.HasMorePages() {
		for _, event := range must(pages.NextPage(ctx)).Events {
			check(*event.EventSource == "cloudtrail.amazonaws.com" && time.Since(*event.EventTime) < time.Minute, "%+v", event)
			check(strings.Contains(*event.CloudTrailEvent, "aws-sdk-go-v2/"), "%s", *event.CloudTrailEvent)
			names = append(names, *event.EventName)
		}
	}
	check(len(names) > 3 && strings.Contains(strings.Join(names, " "), "UpdateTrail"), "%v", names)
	soon := time.Now().Add(time.Hour)
	now := time.Now()
	refused[*types.InvalidTimeRangeException](trail.LookupEvents(ctx, &cloudtrail.LookupEventsInput{StartTime: &soon, EndTime: &now}))
	must(cloudtrail.NewListPublicKeysPaginator(trail, &cloudtrail.ListPublicKeysInput{}).NextPage(ctx))
}

// notThereYet has the operations that are refused, each with the type that the SDK knows for it.
func notThereYet() {
	step("is told what is not there")
	store, query := aws.String("a-store"), aws.String("SELECT 1 FROM x")
	refused[*types.UnsupportedOperationException](trail.CreateEventDataStore(ctx, &cloudtrail.CreateEventDataStoreInput{Name: store}))
	refused[*types.UnsupportedOperationException](trail.ListEventDataStores(ctx, &cloudtrail.ListEventDataStoresInput{}))
	refused[*types.UnsupportedOperationException](trail.StartQuery(ctx, &cloudtrail.StartQueryInput{QueryStatement: query}))
	refused[*types.UnsupportedOperationException](trail.ListChannels(ctx, &cloudtrail.ListChannelsInput{}))
	refused[*types.UnsupportedOperationException](trail.ListImports(ctx, &cloudtrail.ListImportsInput{}))
}

func main() {
	configure()
	trails()
	notThereYet()
}
