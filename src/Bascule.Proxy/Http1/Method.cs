namespace Bascule.Proxy.Http1;

/// <summary>A request method, as far as a proxy must know it. RFC 9110 §9.</summary>
internal enum Method
{
    /// <summary>Any other token; forwarded as it is.</summary>
    Other,

    /// <summary>Safe.</summary>
    Get,

    /// <summary>Safe, and its response has no body.</summary>
    Head,

    /// <summary>Not idempotent.</summary>
    Post,

    /// <summary>Idempotent.</summary>
    Put,

    /// <summary>Idempotent.</summary>
    Delete,

    /// <summary>Safe.</summary>
    Options,

    /// <summary>Not idempotent. RFC 5789.</summary>
    Patch,

    /// <summary>Safe, and never has a body.</summary>
    Trace,

    /// <summary>Refused: see <see cref="ParseResult.UnsupportedMethod"/>.</summary>
    Connect,
}

/// <summary>Names and properties of <see cref="Method"/>.</summary>
internal static class Methods
{
    /// <summary>Method names are case-sensitive: "get" is <see cref="Method.Other"/>. RFC 9110 §9.1.</summary>
    public static Method Recognise(ReadOnlySpan<byte> name) => name.Length switch
    {
        3 => name.SequenceEqual("GET"u8) ? Method.Get : name.SequenceEqual("PUT"u8) ? Method.Put : Method.Other,
        4 => name.SequenceEqual("POST"u8) ? Method.Post : name.SequenceEqual("HEAD"u8) ? Method.Head : Method.Other,
        5 => name.SequenceEqual("PATCH"u8) ? Method.Patch : name.SequenceEqual("TRACE"u8) ? Method.Trace : Method.Other,
        6 => name.SequenceEqual("DELETE"u8) ? Method.Delete : Method.Other,
        7 => name.SequenceEqual("OPTIONS"u8) ? Method.Options : name.SequenceEqual("CONNECT"u8) ? Method.Connect : Method.Other,
        _ => Method.Other,
    };

    /// <summary>Whether doing it twice is doing it once, so that it may be tried again. RFC 9110 §9.2.2.</summary>
    public static bool IsIdempotent(this Method method) => method switch
    {
        Method.Get or Method.Head or Method.Options or Method.Trace or Method.Put or Method.Delete => true,
        Method.Post or Method.Patch or Method.Connect or Method.Other => false,
    };
}
