package console

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"emolab/fusion/instant"
)

// schema is one JSON schema as OpenAPI 3.0 has it.
type schema map[string]any

// schemas describes Go types by what their JSON is.
type schemas map[string]schema

var marshaler = reflect.TypeFor[json.Marshaler]()

// of returns the schema of a type. Structs with a name are described once, and referred to.
func (s schemas) of(t reflect.Type) schema {
	switch t {
	case reflect.TypeFor[time.Time]():
		return schema{"type": "string", "format": "date-time"}
	case reflect.TypeFor[time.Duration](), reflect.TypeFor[instant.Instant]():
		return schema{"type": "integer", "format": "int64", "description": "ns"}
	case reflect.TypeFor[json.RawMessage]():
		return schema{"description": "any JSON"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return orNull(s.of(t.Elem()))
	case reflect.Bool:
		return schema{"type": "boolean"}
	case reflect.String:
		return schema{"type": "string"}
	case reflect.Float64, reflect.Float32:
		if t.Implements(marshaler) {
			return schema{"type": "number", "nullable": true} // one that JSON cannot say
		}
		return schema{"type": "number"}
	case reflect.Slice:
		return schema{"type": "array", "nullable": true, "items": s.of(t.Elem())}
	case reflect.Array:
		return schema{"type": "array", "items": s.of(t.Elem()), "minItems": t.Len(), "maxItems": t.Len()}
	case reflect.Map:
		return schema{"type": "object", "nullable": true, "additionalProperties": s.of(t.Elem())}
	case reflect.Struct:
		if t.Implements(marshaler) {
			return schema{"description": "any JSON"}
		}
		if t.Name() == "" {
			return s.object(t)
		}
		name := s.name(t)
		if s[name] == nil {
			s[name] = schema{} // before its fields, which may refer to it
			s[name] = s.object(t)
		}
		return schema{"$ref": "#/components/schemas/" + name}
	case reflect.Interface:
		return schema{"description": "any JSON"}
	}
	return schema{"type": "integer"}
}

// name is what a type is called: with its package where the name alone says too little.
func (s schemas) name(t reflect.Type) string {
	pkg := t.PkgPath()[strings.LastIndex(t.PkgPath(), "/")+1:]
	if pkg == "session" {
		return t.Name()
	}
	return strings.ToUpper(pkg[:1]) + pkg[1:] + strings.ToUpper(t.Name()[:1]) + t.Name()[1:]
}

// object is the schema of a struct: its fields, and none beside.
func (s schemas) object(t reflect.Type) schema {
	fields := map[string]any{}
	var required []string
	var walk func(t reflect.Type)
	walk = func(t reflect.Type) {
		for i := range t.NumField() {
			f := t.Field(i)
			name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			if f.Anonymous && name == "" {
				walk(f.Type)
				continue
			}
			if !f.IsExported() || name == "-" {
				continue
			}
			if name == "" {
				name = f.Name
			}
			fields[name] = s.of(f.Type)
			if !strings.Contains(options, "omit") {
				required = append(required, name)
			}
		}
	}
	walk(t)
	out := schema{"type": "object", "additionalProperties": false, "properties": fields}
	if slices.Sort(required); len(required) > 0 {
		out["required"] = required
	}
	return out
}

// orNull allows a schema to be null.
func orNull(v schema) schema {
	if v["$ref"] != nil {
		return schema{"nullable": true, "allOf": []any{v}}
	}
	v = maps.Clone(v)
	v["nullable"] = true
	return v
}
