using System.Text;
using Bascule.Core.Model;
using Bascule.Core.Scheduling;

namespace Bascule.Proxy.Http1;

/// <summary>Finds the part of a request by which the scheduler <c>hash</c> chooses.</summary>
internal sealed class RequestKey(RequestHash scheduler)
{
    private readonly byte[] _name = Encoding.ASCII.GetBytes(scheduler.By.Name ?? "");

    /// <summary>For <see cref="ClientAddress.Content"/>; 0 when the request lacks the part.</summary>
    /// <param name="head">Just parsed from <paramref name="input"/>.</param>
    public ulong ContentOf(RequestHead head, ReadOnlySpan<byte> input)
    {
        ReadOnlySpan<byte> part = scheduler.By.Part switch
        {
            RequestPart.Uri => head.Target.In(input),
            RequestPart.Path => PathOf(head.Target.In(input)),
            RequestPart.Header => Header(head.Fields, input),
            RequestPart.Cookie => SessionFields.FindCookie(head.Fields, input, _name),
            RequestPart.Source => default,
        };
        return part.IsEmpty ? 0 : scheduler.ContentOf(part);
    }

    private static ReadOnlySpan<byte> PathOf(ReadOnlySpan<byte> target)
    {
        int query = target.IndexOf((byte)'?');
        return query < 0 ? target : target[..query];
    }

    /// <summary>Of the fields that the proxy acts on itself, as it came; of the others, what is passed on.</summary>
    private ReadOnlySpan<byte> Header(FieldSection fields, ReadOnlySpan<byte> input)
    {
        KnownField known = KnownFields.Recognise(_name);
        if (known == KnownField.Other)
            return SessionFields.FindHeader(fields, input, _name);
        return fields.Has(known) ? fields.First(known).In(input) : default;
    }
}
