package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// BlobUpload is an upload that spans several requests. Any replica may take
// the next one: all there is to know stands in the row.
type BlobUpload struct{ ent.Schema }

// Annotations of the BlobUpload.
func (BlobUpload) Annotations() []schema.Annotation {
	return []schema.Annotation{entgql.Skip(entgql.SkipAll)}
}

// Fields of the BlobUpload.
func (BlobUpload) Fields() []ent.Field {
	return []ent.Field{
		field.String("session").Immutable().
			Comment("The unguessable name clients know the upload by."),
		field.Int64("owner_id").Immutable(),
		field.String("package_type").Immutable(),
		field.String("package_name").Immutable().
			Comment("Normalized; the package need not exist yet."),
		field.Int64("user_id").Immutable().
			Comment("The account that began the upload and alone may go on with it."),
		field.Int64("received").Default(0).
			Comment("Bytes that are durable in the parts."),
		field.JSON("parts", []UploadPart{}).Optional(),
		field.Bytes("hash_state").Optional().
			Comment("The digests' state after the received bytes."),
		field.Int64("revision").Default(0).
			Comment("Raised by every change: the optimistic lock."),
		field.Time("claimed_until").Optional().Nillable().
			Comment("While in the future, one request is writing a part."),
		createdAt(),
		field.Time("expires_at"),
	}
}

// Indexes of the BlobUpload.
func (BlobUpload) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("session").Unique(),
		index.Fields("expires_at"),
		index.Fields("owner_id"),
	}
}

// UploadPart is a stored piece of an upload.
type UploadPart struct {
	// Key is the object's key in storage.
	Key string `json:"key"`
	// Size is its length in bytes.
	Size int64 `json:"size"`
}
