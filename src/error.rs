//! Why a call is refused: an AWS error code, a text, and a source for the log. How that is written is for
//! `aws::protocol`.
//!
//! Domain `parse` functions and operations name their own code. Whatever fails below the API (the database, the
//! disk) becomes [`Code::InternalFailure`]: its cause goes to the log, never to the caller.

use std::borrow::Cow;

/// Where an error is raised, which decides how AWS spells the text's member in the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// CloudTrail itself: the body says `Message` (observed on real AWS).
    Service,
    /// The front layer that all AWS JSON services share: the body says `message`.
    Front,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident => $status:literal $layer:ident,)*) => {
        /// AWS error codes. The name is sent as `__type`; the status is the HTTP status of the reply.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $code,)* }

        impl Code {
            /// The code as AWS spells it, for example `TrailNotFoundException`.
            pub const fn name(self) -> &'static str {
                match self { $(Code::$code => stringify!($code),)* }
            }
            /// The HTTP status of a reply with this code.
            pub const fn status(self) -> u16 {
                match self { $(Code::$code => $status,)* }
            }
            /// The layer that raises this code.
            pub const fn layer(self) -> Layer {
                match self { $(Code::$code => Layer::$layer,)* }
            }
        }
    };
}

codes! {
    /// The account is in no organization of the caller's.
    AccountNotFoundException => 400 Service,
    /// The account is no delegated administrator.
    AccountNotRegisteredException => 400 Service,
    /// The account is a delegated administrator already.
    AccountRegisteredException => 400 Service,
    /// The management account cannot be a delegated administrator.
    CannotDelegateManagementAccountException => 400 Service,
    /// The ARN is malformed, or names another account or region.
    CloudTrailARNInvalidException => 400 Service,
    /// A fourth delegated administrator.
    DelegatedAdminAccountLimitExceededException => 400 Service,
    /// The trail looks for no unusual activity.
    InsightNotEnabledException => 400 Service,
    /// The bucket does not take objects encrypted with the key.
    InsufficientEncryptionPolicyException => 400 Service,
    /// The bucket does not let CloudTrail write.
    InsufficientS3BucketPolicyException => 400 Service,
    /// The topic is not there, or does not let CloudTrail publish.
    InsufficientSnsTopicPolicyException => 400 Service,
    /// The log group ARN is malformed, came without a role, or the group takes no streams.
    InvalidCloudWatchLogsLogGroupArnException => 400 Service,
    /// The role ARN is malformed, or came without a log group.
    InvalidCloudWatchLogsRoleArnException => 400 Service,
    /// `EventCategory` is something else than `insight`.
    InvalidEventCategoryException => 400 Service,
    /// Event selectors that break a rule, or too many of them.
    InvalidEventSelectorsException => 400 Service,
    /// A trail seen from another region can be changed in its home region only.
    InvalidHomeRegionException => 400 Service,
    /// Insight selectors that break a rule, or look at what the trail does not log.
    InvalidInsightSelectorsException => 400 Service,
    /// Malformed KMS key id, alias or ARN.
    InvalidKmsKeyIdException => 400 Service,
    /// The KMS key is in another region than the trail.
    KmsKeyNotFoundException => 400 Service,
    /// More than one attribute, an unknown key, or a bad value.
    InvalidLookupAttributesException => 400 Service,
    /// `MaxResults` is outside 1 to 50.
    InvalidMaxResultsException => 400 Service,
    /// The token is not one of ours, or was given out for other parameters.
    InvalidNextTokenException => 400 Service,
    /// Settings that exclude each other.
    InvalidParameterCombinationException => 400 Service,
    /// A parameter that breaks a rule for which there is no code of its own.
    InvalidParameterException => 400 Service,
    /// The bucket's name breaks S3's rules.
    InvalidS3BucketNameException => 400 Service,
    /// The key prefix is too long or malformed.
    InvalidS3PrefixException => 400 Service,
    /// The topic's name or ARN is malformed.
    InvalidSnsTopicNameException => 400 Service,
    /// The ARN is malformed, or names another account or region.
    ResourceARNNotValidException => 400 Service,
    /// The policy is not JSON, or too long.
    ResourcePolicyNotValidException => 400 Service,
    /// A well-formed ARN of something that is not there.
    ResourceNotFoundException => 400 Service,
    /// An ARN of something that cannot have tags, or a policy.
    ResourceTypeNotSupportedException => 400 Service,
    /// There is no such bucket.
    S3BucketDoesNotExistException => 400 Service,
    /// A tag's key or value is malformed, or a key occurs twice.
    InvalidTagParameterException => 400 Service,
    /// The start is after the end, or in the future.
    InvalidTimeRangeException => 400 Service,
    /// The trail's name breaks the rules for names.
    InvalidTrailNameException => 400 Service,
    /// A sixth trail in a region.
    MaximumNumberOfTrailsExceededException => 400 Service,
    /// More than 50 tags.
    TagsLimitExceededException => 400 Service,
    /// The name is taken.
    TrailAlreadyExistsException => 400 Service,
    /// No such trail.
    TrailNotFoundException => 400 Service,
    /// An operation that AWS has and Contrail does not have yet.
    UnsupportedOperationException => 400 Service,
    /// The caller may not do this: by a policy, or as a web page of another origin.
    AccessDeniedException => 400 Service,
    /// The session of temporary credentials is over.
    ExpiredTokenException => 400 Front,
    /// The signature cannot be read.
    IncompleteSignatureException => 400 Front,
    /// The signature is another one, too old, or for something else.
    InvalidSignatureException => 400 Front,
    /// There is no signature.
    MissingAuthenticationTokenException => 400 Front,
    /// The access key is not known, or its session token is another one.
    UnrecognizedClientException => 400 Front,
    /// The body did not arrive in time.
    RequestTimeoutException => 408 Front,
    /// The body is larger than 1 MiB.
    RequestEntityTooLargeException => 413 Front,
    /// The body is not JSON, or a member has the wrong JSON type.
    SerializationException => 400 Front,
    /// Too many calls.
    ThrottlingException => 400 Front,
    /// No target, an unknown one, or a content type that is not AWS JSON.
    UnknownOperationException => 400 Front,
    /// A fault of ours; the cause is in the log.
    InternalFailure => 500 Front,

    // The codes below are those of services that speak XML, and of the front of all services.
    /// The caller may not do this.
    AccessDenied => 403 Front,
    /// EC2's word for a signature that is not right.
    AuthFailure => 401 Front,
    /// S3's word for a signature that cannot be read.
    AuthorizationHeaderMalformed => 400 Front,
    /// The request has no `Host`, or two.
    BadRequest => 400 Front,
    /// The session of temporary credentials is over.
    ExpiredToken => 403 Front,
    /// The signature cannot be read.
    IncompleteSignature => 400 Front,
    /// S3's word for an access key that is not known.
    InvalidAccessKeyId => 403 Front,
    /// There is no such action.
    InvalidAction => 400 Front,
    /// S3's word for what contradicts itself.
    InvalidArgument => 400 Front,
    /// The access key is not known, or its session token is another one.
    InvalidClientTokenId => 403 Front,
    /// S3's word for what it does not take.
    InvalidRequest => 400 Front,
    /// S3's word for another session token.
    InvalidToken => 400 Front,
    /// A form names no action.
    MissingAction => 400 Front,
    /// There is no signature.
    MissingAuthenticationToken => 403 Front,
    /// The body is too large to be checked.
    RequestEntityTooLarge => 413 Front,
    /// S3's word for a signature that is too old.
    RequestTimeTooSkewed => 403 Front,
    /// The body did not arrive in time.
    RequestTimeout => 400 Front,
    /// The upstream does not answer.
    ServiceUnavailable => 503 Front,
    /// The signature is another one, too old, or for something else.
    SignatureDoesNotMatch => 403 Front,
    /// EC2's word for what the caller may not do.
    UnauthorizedOperation => 403 Front,
    /// The body has another hash than its sender said.
    XAmzContentSHA256Mismatch => 400 Front,
}

/// An error as a caller sees it (`code`, `message`) with what the log needs (`source`).
#[derive(Debug, thiserror::Error)]
#[error("{}: {message}", code.name())]
pub struct ApiError {
    /// The AWS error code.
    pub code: Code,
    /// The text for the caller. Holds no secret.
    pub message: Cow<'static, str>,
    /// The cause, for the log only.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What operations and `parse` functions return.
pub type ApiResult<T> = Result<T, ApiError>;

impl Code {
    /// Whether it says that the caller is not known, or may not do this.
    pub const fn is_about_callers(self) -> bool {
        matches!(
            self,
            Code::AccessDeniedException
                | Code::ExpiredTokenException
                | Code::IncompleteSignatureException
                | Code::InvalidSignatureException
                | Code::MissingAuthenticationTokenException
                | Code::UnrecognizedClientException
        )
    }

    /// An error with this code and `message`.
    pub fn because(self, message: impl Into<Cow<'static, str>>) -> ApiError {
        ApiError { code: self, message: message.into(), source: None }
    }
}

impl ApiError {
    /// An [`Code::InternalFailure`]: the caller learns nothing but the code, the log gets `source`.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ApiError {
        ApiError { code: Code::InternalFailure, message: "".into(), source: Some(source.into()) }
    }
}
