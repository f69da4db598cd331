class Type:
    def __call__(self, *arguments: Type) -> Signature: ...

class Signature: ...

int64: Type
void: Type
