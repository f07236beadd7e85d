namespace Bascule.Proxy.Http1;

/// <summary>How the end of a body is known. RFC 9112 §6.3.</summary>
internal enum BodyFraming
{
    /// <summary>There is no body.</summary>
    None,

    /// <summary>Content-Length bytes, possibly 0.</summary>
    Length,

    /// <summary>Chunks, the last of size 0.</summary>
    Chunked,

    /// <summary>Until the sender closes. Only responses.</summary>
    UntilClose,
}
