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
            RequestPart.Cookie => Cookie(head.Fields, input),
            RequestPart.Source => default,
        };
        return part.IsEmpty ? 0 : scheduler.ContentOf(part);
    }

    private static ReadOnlySpan<byte> PathOf(ReadOnlySpan<byte> target)
    {
        int query = target.IndexOf((byte)'?');
        return query < 0 ? target : target[..query];
    }

    /// <summary>The first one of that name.</summary>
    private ReadOnlySpan<byte> Header(FieldSection fields, ReadOnlySpan<byte> input)
    {
        foreach (ref readonly Field field in fields.Fields)
        {
            if (Ascii.EqualsIgnoreCase(input.Slice(field.Line.Start, field.NameLength), _name))
                return field.Value.In(input);
        }

        return default;
    }

    /// <summary>"name=value; other=value": the first one of that name. RFC 6265 §4.2.1.</summary>
    private ReadOnlySpan<byte> Cookie(FieldSection fields, ReadOnlySpan<byte> input)
    {
        foreach (ref readonly Field field in fields.Fields)
        {
            if (!Ascii.EqualsIgnoreCase(input.Slice(field.Line.Start, field.NameLength), "Cookie"u8))
                continue;
            ReadOnlySpan<byte> pairs = field.Value.In(input);
            foreach (Range range in pairs.Split((byte)';'))
            {
                ReadOnlySpan<byte> pair = pairs[range].Trim(" \t"u8);
                if (pair.StartsWith(_name) && pair.Length > _name.Length && pair[_name.Length] == '=')
                    return pair[(_name.Length + 1)..];
            }
        }

        return default;
    }
}
