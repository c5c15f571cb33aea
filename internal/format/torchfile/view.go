package torchfile

import (
	"errors"
	"fmt"
	"slices"

	"github.com/orrery-rl/orrery/internal/format/pickle"
)

// viewOf understands what torch.save writes for a tensor or a parameter.
// Its errors show no values: these may be nested without end.
func viewOf(v any) (view, error) {
	object, ok := v.(*pickle.Object)
	if ok && object.Class == rebuildParameter && len(object.Args) > 0 {
		object, ok = object.Args[0].(*pickle.Object)
	}
	if !ok || object.Class != rebuildTensor || len(object.Args) < 4 {
		return view{}, fmt.Errorf("a %T is no tensor", v)
	}
	w, err := storageOf(object.Args[0])
	if err != nil {
		return view{}, err
	}
	offset, isInt := object.Args[1].(int64)
	if w.offset = int(offset); !isInt || int64(w.offset) != offset || offset < 0 {
		return view{}, fmt.Errorf("the offset of a tensor is a %T or out of range", object.Args[1])
	}
	if w.dims, err = integers(object.Args[2]); err != nil {
		return view{}, fmt.Errorf("the shape of a tensor: %w", err)
	}
	if w.strides, err = integers(object.Args[3]); err != nil {
		return view{}, fmt.Errorf("the strides of a tensor: %w", err)
	}
	if len(w.dims) != len(w.strides) {
		return view{}, fmt.Errorf("a tensor of shape %v has strides %v", w.dims, w.strides)
	}
	return w, nil
}

// storageOf understands ("storage", class, key, device, number of elements).
func storageOf(v any) (view, error) {
	id, ok := v.(*pickle.Persistent)
	if !ok {
		return view{}, fmt.Errorf("a tensor has no storage but a %T", v)
	}
	fields, ok := id.ID.(pickle.Tuple)
	if !ok || len(fields) < 3 || fields[0] != "storage" {
		return view{}, errors.New("a storage is not described as torch.save does")
	}
	class, isClass := fields[1].(pickle.Class)
	key, isText := fields[2].(string)
	if !isClass || !isText || !slices.Contains(storageClasses(), class) {
		return view{}, fmt.Errorf("a storage has a %T and a %T for class and key", fields[1], fields[2])
	}
	return view{class: class, key: key}, nil
}

// integers understands a tuple of integers or a torch.Size.
func integers(v any) ([]int, error) {
	if size, ok := v.(*pickle.Object); ok && size.Class == sizeClass && len(size.Args) == 1 {
		v = size.Args[0]
	}
	t, ok := v.(pickle.Tuple)
	if !ok || len(t) > maxRank {
		return nil, fmt.Errorf("a %T; want a tuple of at most %d integers", v, maxRank)
	}
	out := make([]int, len(t))
	for i, item := range t {
		n, ok := item.(int64)
		if out[i] = int(n); !ok || int64(out[i]) != n {
			return nil, fmt.Errorf("a %T in it; want integers", item)
		}
	}
	return out, nil
}
