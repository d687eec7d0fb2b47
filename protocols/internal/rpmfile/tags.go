package rpmfile

// The tags of a package's header that are read here (rpm's docs/manual/tags.md).
const (
	tagLanguages     = 100
	tagName          = 1000
	tagVersion       = 1001
	tagRelease       = 1002
	tagEpoch         = 1003
	tagSummary       = 1004
	tagDescription   = 1005
	tagBuildTime     = 1006
	tagBuildHost     = 1007
	tagSize          = 1009
	tagVendor        = 1011
	tagLicense       = 1014
	tagPackager      = 1015
	tagGroup         = 1016
	tagURL           = 1020
	tagArch          = 1022
	tagOldFileNames  = 1027
	tagFileModes     = 1030
	tagFileFlags     = 1037
	tagSourceRPM     = 1044
	tagArchiveSize   = 1046
	tagChangeTime    = 1080
	tagChangeName    = 1081
	tagChangeText    = 1082
	tagSourcePackage = 1106
	tagDirIndexes    = 1116
	tagBaseNames     = 1117
	tagDirNames      = 1118
	tagPayloadFormat = 1124
	tagLongSize      = 5009
	tagPayloadDigest = 5092
	tagPayloadAlgo   = 5093
)

// The tags of a signature header. Some numbers mean something else there than
// in a package's header.
const (
	sigRegion       = 62
	sigDSA          = 267 // of the header, with any algorithm but RSA
	sigRSA          = 268 // of the header
	sigSHA1         = 269
	sigLongArchive  = 271
	sigSHA256       = 273
	sigOpenPGP      = 278  // of the header, rpm 6
	sigPGP          = 1002 // of header and payload
	sigGPG          = 1005 // of header and payload
	sigArchiveSize  = 1007
	sigReserved     = 1008
	payloadIsSHA256 = 8 // the value of tagPayloadAlgo
)

// RelationKind is where a kind of relation to other packages stands, and the
// element that lists it.
type RelationKind struct {
	Element                string
	title                  string
	names, flags, versions int
	optional               bool
}

// RelationKinds are the kinds of relation in the order in which they are
// listed.
var RelationKinds = []RelationKind{
	{"provides", "Provides", 1047, 1112, 1113, true},
	{"requires", "Requires", 1049, 1048, 1050, false},
	{"conflicts", "Conflicts", 1054, 1053, 1055, true},
	{"obsoletes", "Obsoletes", 1090, 1114, 1115, true},
	{"suggests", "Suggests", 5049, 5051, 5050, true},
	{"enhances", "Enhances", 5055, 5057, 5056, true},
	{"recommends", "Recommends", 5046, 5048, 5047, true},
	{"supplements", "Supplements", 5052, 5054, 5053, true},
}

// Where two of them stand in the list.
const (
	provided = 0
	required = 1
)

// The flags of a relation.
const (
	flagLess     = 1 << 1
	flagGreater  = 1 << 2
	flagEqual    = 1 << 3
	flagPrereq   = 1 << 6
	flagPre      = 1 << 9
	flagPost     = 1 << 10
	flagsCompare = flagLess | flagGreater | flagEqual
	flagsBefore  = flagPrereq | flagPre | flagPost
)

// What the mode and the flags of a file tell.
const (
	modeKind  = 0o170000
	modeDir   = 0o040000
	fileGhost = 1 << 6
)
