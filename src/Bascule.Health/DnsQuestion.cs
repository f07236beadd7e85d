using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Bascule.Core.Model;

namespace Bascule.Health;

/// <summary>A question to a name server, and what its answers come to. RFC 1035 §4.</summary>
internal sealed class DnsQuestion(DnsCheck check)
{
    private const int HeaderLength = 12;
    private const byte RecursionDesired = 0x01;
    private const byte IsAnswer = 0x80;
    private const byte IsTruncated = 0x02;
    private const byte RcodeMask = 0x0F;
    private const ushort Internet = 1; // class IN

    private readonly string? _answer = check.Answer is { } answer ? Plain(answer, check.RecordType) : null;

    /// <summary>The question, with a new number.</summary>
    public byte[] Write()
    {
        byte[] name = DnsReader.Encode(check.Name);
        byte[] query = new byte[HeaderLength + name.Length + 4];
        RandomNumberGenerator.Fill(query.AsSpan(0, 2));
        query[2] = RecursionDesired;
        query[5] = 1; // one question
        name.CopyTo(query, HeaderLength);
        BinaryPrimitives.WriteUInt16BigEndian(query.AsSpan(^4), (ushort)check.RecordType);
        BinaryPrimitives.WriteUInt16BigEndian(query.AsSpan(^2), Internet);
        return query;
    }

    /// <summary>Whether this is an answer, but to another question.</summary>
    public static bool IsToAnother(ReadOnlySpan<byte> query, ReadOnlySpan<byte> answer) =>
        answer.Length >= HeaderLength && (answer[2] & IsAnswer) != 0 && !answer[..2].SequenceEqual(query[..2]);

    /// <summary>What this answer to that question comes to.</summary>
    public Verdict Judge(ReadOnlySpan<byte> query, ReadOnlySpan<byte> answer)
    {
        if (answer.Length < HeaderLength || (answer[2] & IsAnswer) == 0)
            return Verdict.Failed($"it does not speak DNS: {Conversation.Show(answer)}");
        if (IsToAnother(query, answer))
            return Verdict.Failed("the answer is to another question");
        if ((answer[3] & RcodeMask) is not 0 and int rcode)
            return Verdict.Failed($"answered {Words(rcode)}");
        int records = BinaryPrimitives.ReadUInt16BigEndian(answer[6..]);
        if (_answer is null)
            return Verdict.Pass($"NOERROR, {records} {(records == 1 ? "record" : "records")}");

        List<string>? said = Said(answer, records);
        if (said is null)
            return Verdict.Failed("the answer is broken");
        if (said.Any(one => one.Equals(_answer, check.RecordType == DnsRecordType.Txt ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase)))
            return Verdict.Pass(_answer);
        return (answer[2] & IsTruncated) != 0 ? Verdict.Failed("the answer did not fit into a datagram: write `transport: tcp`")
            : Verdict.Failed($"expected {_answer}, answered {(said.Count == 0 ? "nothing" : Conversation.Show(string.Join(", ", said)))}");
    }

    /// <summary>What the records that were asked for say.</summary>
    /// <returns>Null when they cannot be read.</returns>
    private List<string>? Said(ReadOnlySpan<byte> answer, int records)
    {
        DnsReader reader = new(answer) { At = HeaderLength };
        for (int questions = BinaryPrimitives.ReadUInt16BigEndian(answer[4..]); questions > 0; questions--)
        {
            if (reader.Name() is null || !reader.Skip(4))
                return null;
        }

        List<string> said = [];
        for (; records > 0; records--)
        {
            if (reader.Name() is null || reader.Number16() is not { } type || !reader.Skip(6) || reader.Number16() is not { } length || length > reader.Left)
                return null;
            int end = reader.At + length;
            if (type == (int)check.RecordType)
            {
                if (reader.Data(check.RecordType, length) is not { } data)
                    return null;
                said.Add(data);
            }

            reader.At = end;
        }

        return said;
    }

    private static string Plain(string answer, DnsRecordType type) =>
        type is DnsRecordType.A or DnsRecordType.Aaaa && IPAddress.TryParse(answer, out IPAddress? address) ? address.ToString()
        : type == DnsRecordType.Txt ? answer
        : answer.TrimEnd('.');

    // RFC 1035 §4.1.1, RFC 6895 §2.3.
    private static string Words(int rcode) => rcode switch
    {
        1 => "FORMERR",
        2 => "SERVFAIL",
        3 => "NXDOMAIN",
        4 => "NOTIMP",
        5 => "REFUSED",
        9 => "NOTAUTH",
        _ => string.Create(CultureInfo.InvariantCulture, $"RCODE {rcode}"),
    };
}

/// <summary>Reads a message from a name server. Nothing throws: what is not there is null.</summary>
internal ref struct DnsReader(ReadOnlySpan<byte> message)
{
    private const int PointerMask = 0xC0;

    private readonly ReadOnlySpan<byte> _message = message;

    /// <summary>Where it reads on.</summary>
    public int At { get; set; }

    /// <summary>Bytes from there to the end.</summary>
    public readonly int Left => _message.Length - At;

    /// <summary>A name on the wire: each label after its length.</summary>
    public static byte[] Encode(string name)
    {
        List<byte> wire = [];
        foreach (string label in name.Split('.', StringSplitOptions.RemoveEmptyEntries))
            wire.AddRange([(byte)label.Length, .. Encoding.ASCII.GetBytes(label)]);
        return [.. wire, 0];
    }

    /// <summary>Passes over so many bytes.</summary>
    public bool Skip(int count)
    {
        At += count;
        return Left >= 0;
    }

    /// <summary>A number of 16 bits.</summary>
    public int? Number16()
    {
        if (Left < 2)
            return null;
        At += 2;
        return BinaryPrimitives.ReadUInt16BigEndian(_message[(At - 2)..]);
    }

    /// <summary>A name, with dots between its labels and none at the end.</summary>
    public string? Name()
    {
        StringBuilder name = new();
        int at = At, after = -1, before = At;
        while (at < _message.Length)
        {
            int length = _message[at];
            if ((length & PointerMask) == PointerMask)
            {
                if (at + 1 >= _message.Length)
                    return null;
                after = after < 0 ? at + 2 : after;
                at = ((length & ~PointerMask) << 8) | _message[at + 1];
                if (at >= before)
                    return null; // RFC 1035 §4.1.4: a prior occurrence. Ever backwards, so that it ends.
                before = at;
                continue;
            }

            if (length == 0)
            {
                At = after < 0 ? at + 1 : after;
                return name.ToString();
            }

            if (length > 63 || at + 1 + length > _message.Length || name.Length > 255)
                return null;
            if (name.Length > 0)
                name.Append('.');
            name.Append(Encoding.ASCII.GetString(_message.Slice(at + 1, length)));
            at += 1 + length;
        }

        return null;
    }

    /// <summary>What a record says, as zone files write it.</summary>
    public string? Data(DnsRecordType type, int length) => type switch
    {
        DnsRecordType.A => length == 4 ? new IPAddress(_message.Slice(At, 4)).ToString() : null,
        DnsRecordType.Aaaa => length == 16 ? new IPAddress(_message.Slice(At, 16)).ToString() : null,
        DnsRecordType.Ns or DnsRecordType.Cname or DnsRecordType.ReverseName => Name(),
        DnsRecordType.Mx => Numbers(1) is { } preference && Name() is { } host ? $"{preference} {host}" : null,
        DnsRecordType.Srv => Numbers(3) is { } numbers && Name() is { } host ? $"{numbers} {host}" : null,
        DnsRecordType.Soa => Name() is { } server && Name() is { } person && Left >= 4
            ? string.Create(CultureInfo.InvariantCulture, $"{server} {person} {BinaryPrimitives.ReadUInt32BigEndian(_message[At..])}") : null,
        DnsRecordType.Txt => Text(length),
    };

    private string? Numbers(int count)
    {
        StringBuilder numbers = new();
        for (; count > 0; count--)
        {
            if (Number16() is not { } number)
                return null;
            numbers.Append(numbers.Length > 0 ? " " : "").Append(number);
        }

        return numbers.ToString();
    }

    // RFC 7208 §3.3 and others: several strings are read as one.
    private readonly string? Text(int length)
    {
        StringBuilder text = new();
        ReadOnlySpan<byte> strings = _message.Slice(At, length);
        while (!strings.IsEmpty)
        {
            int one = strings[0];
            if (one + 1 > strings.Length)
                return null;
            text.Append(Encoding.UTF8.GetString(strings.Slice(1, one)));
            strings = strings[(one + 1)..];
        }

        return text.ToString();
    }
}
