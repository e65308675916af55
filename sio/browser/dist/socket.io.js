// Sluice's Socket.IO client for browsers, minified (Apache-2.0). To read it: sio/browser/io.js in Sluice's source.
(()=>{var l=class{#i=new Map;on(t,e){let s=this.#i.get(t);return s?s.push(e):this.#i.set(t,[e]),this}once(t,e){let s=(...i)=>{
this.off(t,s),e.apply(this,i)};return s.listener=e,this.on(t,s)}off(...t){let[e,s]=t,i=t.length>1?_(this.listeners(e),s):
[];return t.length?i.length?this.#i.set(e,i):this.#i.delete(e):this.#i.clear(),this}listeners(t){return[...this.#i.get(t)??
[]]}hasListeners(t){return this.#i.has(t)}_fire(t,...e){u(this.listeners(t),this,e)}},{prototype:m}=l;m.addEventListener=
m.on;m.removeListener=m.removeEventListener=m.removeAllListeners=m.off;function _(r,t){let e=r.findIndex(s=>s===t||s.listener===
t);return r.filter((s,i)=>i!==e)}function u(r,t,e){for(let s of r)try{s.apply(t,e)}catch(i){queueMicrotask(()=>{throw i})}}var f={OPEN:"0",CLOSE:"1",PING:"2",PONG:"3",MESSAGE:"4",UPGRADE:"5",NOOP:"6"},F=Object.keys(f).map(r=>r.toLowerCase());function S(r){
return typeof r!="string"?{type:"message",data:r}:{type:F[r[0]],data:r.slice(1)}}var a={CONNECT:0,DISCONNECT:1,EVENT:2,ACK:3,
CONNECT_ERROR:4},D=3,W=10,B=new Set(["connect","connect_error","disconnect","disconnecting","newListener","removeListene\
r"]);function y(r){return typeof Blob<"u"&&r instanceof Blob}function q(r){return r instanceof ArrayBuffer||ArrayBuffer.
isView(r)||y(r)}function U({type:r,nsp:t,id:e="",data:s}){let i=[],n=JSON.stringify(s,function(c,T){let I=this[c];return q(
I)?{_placeholder:!0,num:i.push(I)-1}:T}),o=i.length?`${r+D}${i.length}-`:r,h=t==="/"?"":`${t},`;return[`${o}${h}${e}${n??
""}`,...i]}var H=/^([0-6])(?:(\d+)-)?(?:(\/[^,]*),?)?(\d*)/;function j(r){let t=H.exec(r);if(!t)throw new Error("unknown\
 packet type");let[e,s,i,n="/",o]=t,h=s>a.CONNECT_ERROR,c=Number(i??0);if(h!==c>0)throw new Error("illegal attachments");
if(c>W)throw new Error("too many attachments");return{type:s-(h?D:0),nsp:n,id:o?Number(o):void 0,attachments:c,json:r.slice(
e.length)}}function M({type:r,json:t},e){let s=(n,o)=>{if(o?._placeholder!==!0)return o;let h=Number.isInteger(o.num)&&e[o.
num];if(!h)throw new Error("illegal attachments");return h},i=t?JSON.parse(t,e.length?s:void 0):void 0;if(!z(r,i))throw new Error(
"invalid payload");return i}function z(r,t){let e=typeof t=="object"&&t!==null&&!Array.isArray(t);switch(r){case a.CONNECT:
return e||t===void 0;case a.DISCONNECT:return t===void 0;case a.EVENT:return Array.isArray(t)&&(typeof t[0]=="number"||typeof t[0]==
"string"&&!B.has(t[0]));case a.ACK:return Array.isArray(t);case a.CONNECT_ERROR:return e||typeof t=="string"}}var J=new TextEncoder;
function b(r){return typeof r=="string"?J.encode(r):ArrayBuffer.isView(r)?new Uint8Array(r.buffer,r.byteOffset,r.byteLength):
new Uint8Array(r)}function p(r){return typeof r=="string"?b(r).length:r.byteLength??r.size}var $="";function g(r,t,e){return Object.assign(new Error(r),{type:"TransportError",description:t,context:e})}var O=class{name="\
polling";on={};bufferedAmount=0;#i;#e=new AbortController;#t=!1;#s=!1;#r;#n;constructor(t){this.#i=t}get writable(){return!this.#n&&
!this.#s&&!this.#t}open(){this.resume()}async pause(){this.#s=!0,await Promise.all([this.#r,this.#n])}resume(){this.#s=!1,
this.#r=this.#c()}take(t){let e=[],s=0;do s+=x(t[0])+1,e.push(t.shift());while(t.length&&s+x(t[0])<=this.#i.maxPayload);
this.bufferedAmount=s,this.#n=this.#h(e).finally(()=>{this.bufferedAmount=0,this.#n=void 0,this.on.drain?.()})}close(t){
if(this.#t)return;this.#t=!0,(t?this.#o("POST",f.CLOSE,{keepalive:!0}):Promise.resolve()).catch(()=>{}).finally(()=>this.#e.
abort())}async#c(){for(;!this.#t&&!this.#s;){let t;try{t=await(await this.#o("GET")).text()}catch(e){return this.#a("xhr\
 poll error",e)}for(let e of t.split($)){if(this.#t)return;this.on.frame?.(e[0]==="b"?Y(e.slice(1)):e),await null}}}async#h(t){
try{let e=t.map(async s=>typeof s=="string"?s:`b${await K(s)}`);await this.#o("POST",(await Promise.all(e)).join($))}catch(e){
this.#a("xhr post error",e)}}async#o(t,e,s){let{withCredentials:i,extraHeaders:n,requestTimeout:o}=this.#i.options(this.
name),{signal:h}=this.#e,c=await fetch(this.#i.url(this.name),{method:t,body:e,cache:"no-store",credentials:i?"include":
"same-origin",headers:{...n,...e&&{"Content-Type":"text/plain;charset=UTF-8"}},signal:o?AbortSignal.any([h,AbortSignal.timeout(
o)]):h,...s});if(c.status===200)return c;let{status:T}=c;throw{status:T,context:{status:T,responseText:await c.text()}}}#a(t,e){
this.#t||(this.close(),this.on.close?.("transport error",g(t,e.status??0,e.context??e)))}};function x(r){return typeof r==
"string"?p(r):1+4*Math.ceil(p(r)/3)}async function K(r){let t=b(y(r)?await r.arrayBuffer():r);if(t.toBase64)return t.toBase64();
let e=3*8192,s="";for(let i=0;i<t.length;i+=e)s+=btoa(String.fromCharCode(...t.subarray(i,i+e)));return s}function Y(r){
return Uint8Array.fromBase64?Uint8Array.fromBase64(r).buffer:Uint8Array.from(atob(r),t=>t.charCodeAt(0)).buffer}var N=class{name="websocket";on={};#i;#e;#t=!1;constructor(t){this.#i=t}get bufferedAmount(){return this.#e?.bufferedAmount??
0}get writable(){return this.#e?.readyState===1&&!this.#t}open(){let{WebSocket:t=globalThis.WebSocket,protocols:e=[]}=this.#i.
options(this.name),s;try{s=new t(this.#i.url(this.name),e)}catch(i){return queueMicrotask(()=>this.#s("transport error",
g("websocket error",i)))}s.binaryType="arraybuffer",s.onopen=()=>this.on.open?.(),s.onmessage=({data:i})=>!this.#t&&this.
on.frame?.(i),s.onerror=i=>this.#s("transport error",g("websocket error",i)),s.onclose=i=>this.#s("transport close",{description:"\
websocket connection closed",context:i}),this.#e=s}take(t){for(let e of t.splice(0))this.#e.send(e)}close(){this.#t=!0,this.#e?.
close()}#s(t,e){this.#t||(this.close(),this.on.close?.(t,e))}};var E=126,X=127,R=128,Q=1e3,v=class{name="webtransport";on={};bufferedAmount=0;writable=!1;#i;#e;#t;#s=Promise.resolve();#r=!1;constructor(t){
this.#i=t}async open(){await null;let t=e=>this.#h("transport error",g("webtransport error",e));try{let{transportOptions:e}=this.#i.
opts;this.#e=new WebTransport(this.#i.url(this.name),e?.[this.name]),this.#e.closed.then(()=>this.#h("transport close"),
t),await this.#e.ready;let{readable:s,writable:i}=await this.#e.createBidirectionalStream();this.#t=i.getWriter(),this.writable=
!0;let{id:n}=this.#i;this.take([f.OPEN+(n?JSON.stringify({sid:n}):"")]),this.on.open?.(),await this.#c(s)}catch(e){this.#e||
t(e)}this.#e?.close()}take(t){for(let e of t.splice(0))this.bufferedAmount+=p(e),this.#s=this.#s.then(()=>this.#n(e)).catch(
()=>{})}close(){if(this.#r)return;this.#r=!0,this.writable=!1,this.#s.then(()=>this.#t?.close()).catch(()=>{}).then(()=>setTimeout(
()=>this.#e?.close(),this.#t?Q:0))}async#n(t){let e=p(t),s=Z(e,typeof t!="string");if(y(t)){await this.#t.write(s);let i=t.
stream().getReader();for(let n;!(n=await i.read()).done;)await this.#t.write(n.value)}else{let i=new Uint8Array(s.length+
e);i.set(s),i.set(b(t),s.length),await this.#t.write(i)}this.bufferedAmount-=e}async#c(t){let e=tt(t.getReader()),s=new TextDecoder;
for(;;){let[i]=await e(1),n=i&~R;n>=E&&(n=(await e(n===E?2:8)).reduce((h,c)=>h*256+c,0));let o=await e(n);this.#r||this.
on.frame?.(i&R?o.buffer:s.decode(o))}}#h(t,e={description:"webtransport session closed"}){this.#r||(this.close(),this.on.
close?.(t,e))}};function Z(r,t){let e=r>65535,s=new DataView(new ArrayBuffer(r<E?1:e?9:3));return r>=E&&(e?s.setBigUint64(
1,BigInt(r)):s.setUint16(1,r),r=e?X:E),s.setUint8(0,t?r|R:r),new Uint8Array(s.buffer)}function tt(r){let t=new Uint8Array;
return async e=>{let s=new Uint8Array(e);for(let i=0;i<e;){if(!t.length){let{value:o,done:h}=await r.read();if(h)throw new Error(
"the stream has ended");t=o}let n=t.subarray(0,e-i);s.set(n,i),i+=n.length,t=t.subarray(n.length)}return s}}var P={polling:O,websocket:N,webtransport:v},et=64*1024,st=200,k=!1,L=new Set;globalThis.addEventListener?.("offline",()=>{
for(let r of L)r()});var C=class extends l{transport;id;maxPayload=1/0;readyState="opening";#i;#e;#t=[];#s=new Set;#r=!1;#n;#c;#h=1/0;constructor(t,e){
super(),this.#i=t,this.opts={upgrade:!0,...e},this.#e=[...this.opts.transports??Object.keys(P)];let{rememberUpgrade:s,closeOnBeforeunload:i}=this.
opts;this.#o(s&&k&&this.#e.includes("websocket")?"websocket":this.#e[0]),t.hostname!=="localhost"&&L.add(this.#m),i&&globalThis.
addEventListener?.("beforeunload",this.#g)}get bufferedAmount(){return this.#t.reduce((t,e)=>t+p(e),this.transport.bufferedAmount)}get writable(){
return this.readyState==="open"&&this.transport.writable&&!this.#r&&this.bufferedAmount<et}write([t,...e]){if(this.readyState!==
"open")return;let s=[f.MESSAGE+t,...e];for(let i of s)this._fire("packetCreate",S(i));this.#t.push(...s),this.#l()}close(){
this.readyState==="opening"&&this.#p("forced close"),this.readyState==="open"&&(this.readyState="closing",this.#l())}options(t){
return{...this.opts,...this.opts.transportOptions?.[t]}}url(t){let e=new URL(this.#i);if(t==="webtransport")return e.protocol=
"https:",e.href;t==="websocket"&&(e.protocol=e.protocol.replace("http","ws"));let{query:s}=this.options(t),n={...typeof s==
"string"?Object.fromEntries(new URLSearchParams(s)):s,EIO:4,transport:t,...this.id&&{sid:this.id}};for(let[o,h]of Object.
entries(n))e.searchParams.set(o,h);return e.href}_stale(){let t=Date.now()>this.#h;return t&&queueMicrotask(()=>this.#p(
"ping timeout")),t}#o(t){this.transport=this.#a(t),this.transport.on=this.#f(),this.transport.open()}#a(t){if(!P[t])throw new Error(
`unknown transport "${t}"`);return new P[t](this)}#f(){return{frame:t=>this.#w(t),drain:()=>this.#l(),close:(t,e)=>this.#k(
t,e)}}#m=()=>this.#p("transport close",{description:"network connection lost"});#g=()=>{this.transport.on={},this.transport.
close(!0)};#w(t){this.#d();let e=S(t);switch(this._fire("packet",e),e.type){case"open":return this.#y(e.data);case"close":
return this.#p("transport close",{description:"transport closed by the server"});case"ping":return this.#t.unshift(f.PONG),
this._fire("packetCreate",S(f.PONG)),this.#l(),this._fire("ping");case"message":return this._fire("message",e.data);case"\
noop":return}this.#k("transport error",Object.assign(new Error("server error"),{code:"parser error"}))}#y(t){let e;try{let s=JSON.
parse(t);this._fire("handshake",s),e=s.upgrades.filter(i=>this.opts.upgrade&&this.#e.includes(i)),this.id=s.sid,this.maxPayload=
s.maxPayload??1/0,this.#n=s.pingInterval+s.pingTimeout}catch(s){return this.#p("parse error",s)}this.readyState="open",k=
this.transport.name==="websocket",this.#d();for(let s of e)this.#E(s,s==="websocket"&&e.includes("webtransport")?st:0);this.
_fire("open")}#d(){this.readyState!=="open"&&this.readyState!=="closing"||(clearTimeout(this.#c),this.#h=Date.now()+this.#n,
this.#c=setTimeout(()=>this.#p("ping timeout"),this.#n))}#E(t,e){let s=this.#a(t);s.on={open:()=>s.take([`${f.PING}probe`]),
frame:i=>i===`${f.PONG}probe`?this.#b(s):this.#u(s),close:(i,n)=>this.#u(s,n)},this.#s.add(s),k=!1,e?setTimeout(()=>this.#s.
has(s)&&s.open(),e):s.open()}async#b(t){for(let e of this.#s)e!==t&&this.#u(e);this.#r=!0,this._fire("upgrading",t),await this.
transport.pause(),!(!this.#s.delete(t)||this.readyState==="closed")&&(this.transport=t,t.on=this.#f(),t.take([f.UPGRADE]),
this.#r=!1,k=t.name==="websocket",this._fire("upgrade",t),this.#l())}async#u(t,e){this.#s.delete(t)&&(t.close(),this._fire(
"upgradeError",Object.assign(new Error("probe error"),{transport:t.name,details:e})),this.#r&&(await this.transport.pause(),
this.transport.resume(),this.#r=!1),this.#l())}#l(){if(this.readyState!=="open"&&this.readyState!=="closing"||this.#r||!this.
transport.writable)return;let t=this.#t.splice(0,this.#A());t.length&&this.transport.take(t),this.#t.unshift(...t),!(this.#t.
length||!this.transport.writable)&&(this.readyState==="closing"?this.#p("forced close"):this._fire("drain"))}#A(){if(!this.#s.
size)return this.#t.length;let t=this.#t.findIndex(s=>x(s)>this.maxPayload);if(t<0)return this.#t.length;let e=this.#t.slice(
0,t+1).findLastIndex(s=>typeof s=="string");return e<0?this.#t.length:e}#k(t,e){t==="transport error"&&(k=!1);let s=this.#e.
filter(i=>i!==this.transport.name);if(!this.opts.tryAllTransports||this.readyState!=="opening"||!s.length)return this.#p(
t,e);this.#e=s,this.#o(s[0])}#p(t,e){if(this.readyState==="closed")return;let s=this.readyState==="closing";this.readyState=
"closed",clearTimeout(this.#c),L.delete(this.#m),globalThis.removeEventListener?.("beforeunload",this.#g),this.#t.length=
0;for(let i of this.#s)i.close();this.#s.clear(),this.transport.close(s),t==="transport error"&&this._fire("error",e),this.
_fire("close",t,e)}};var w=class extends l{connected=!1;recovered=!1;id;sendBuffer=[];receiveBuffer=[];#i;#e=!1;#t=!1;#s=[];#r={};#n=new Map;#c=0;#h=[];#o=[];#a;#f;constructor(t,e,s={}){
super(),this.io=t,this.nsp=e,this.auth=s.auth,this.#i=s}get disconnected(){return!this.connected}get active(){return this.#e}get volatile(){
return this.#r.volatile=!0,this}compress(){return this}timeout(t){return this.#r.timeout=t,this}connect(){return this.connected||
this.#t?this:(this.#e=!0,this.io._connect(this),this)}open(){return this.connect()}disconnect(){return this.connected&&this.#d(
{type:a.DISCONNECT}),this.#w("io client disconnect"),this}close(){return this.disconnect()}send(...t){return this.emit("\
message",...t)}emit(t,...e){if(B.has(t))throw new Error(`"${t}" is a reserved event name`);let s=this.#r;this.#r={};let i=typeof e.
at(-1)=="function"?e.pop():void 0,n=[t,...e];return this.#i.retries&&!s.volatile?(this.#s.push({data:n,ack:i,flags:s,tries:0,
pending:!1}),this.#u()):this.#b(n,i,s),this}emitWithAck(t,...e){return new Promise((s,i)=>{let n=(o,h)=>o?i(o):s(h);n.fails=
!0,this.emit(t,...e,n)})}onAny(t){return this.#h=[...this.#h,t],this}offAny(t){return this.#h=t?_(this.#h,t):[],this}prependAny(t){
return this.#h=[t,...this.#h],this}listenersAny(){return this.#h}onAnyOutgoing(t){return this.#o=[...this.#o,t],this}offAnyOutgoing(t){
return this.#o=t?_(this.#o,t):[],this}prependAnyOutgoing(t){return this.#o=[t,...this.#o],this}listenersAnyOutgoing(){return this.#o}_opened(){
this.#t=!0;let{engine:t}=this.io,e=s=>{t===this.io.engine&&this.#d({type:a.CONNECT,data:this.#a?{pid:this.#a,offset:this.#f,
...s}:s})};typeof this.auth=="function"?this.auth(e):e(this.auth)}_failed(t){this.connected||this._fire("connect_error",
t)}_closed(t,e){this.#t=!1,this.receiveBuffer=[],this.connected&&(this.connected=!1,this.id=void 0,this._fire("disconnec\
t",t,e),this.#T())}_receive({type:t,id:e,data:s}){switch(t){case a.CONNECT:return this.#m(s);case a.DISCONNECT:return this.#w(
"io server disconnect");case a.EVENT:e!==void 0&&s.push(this.#l(e)),this.connected?this.#y(s):this.receiveBuffer.push(s);
return;case a.ACK:return this.#p(e,s);case a.CONNECT_ERROR:return this.#g(s)}}#m({sid:t,pid:e}={}){if(!t)return this.#g(
"the server speaks an older protocol (Socket.IO 2)");this.#t=!1,this.id=t,this.recovered=e!==void 0&&e===this.#a,this.#a=
e,this.connected=!0;for(let s of this.receiveBuffer.splice(0))this.#y(s);for(let s of this.sendBuffer.splice(0))this.#E(
s);this.#u(),this._fire("connect")}#g(t){let{message:e,data:s}=typeof t=="string"?{message:t}:t;this.#w(),this._fire("co\
nnect_error",Object.assign(new Error(e),{data:s}))}#w(t){this.#e=!1,this._closed(t),this.io._left()}#y(t){u(this.#h,this,
t),this._fire(...t),this.#a&&typeof t.at(-1)=="string"&&(this.#f=t.at(-1))}#d(t){this.io._write(U({nsp:this.nsp,...t}))}#E(t){
u(this.#o,this,t.data),this.#d(t)}#b(t,e,{volatile:s,timeout:i=this.#i.ackTimeout}){let n={type:a.EVENT,data:t,id:e&&this.#A(
e,i)},{engine:o}=this.io;s&&!(this.connected&&o.writable)||(this.connected&&!o._stale()?this.#E(n):this.sendBuffer.push(
n))}#u(){let t=this.#s[0];if(!t||!this.connected||t.pending)return;t.pending=!0,t.tries++;let e=(s,...i)=>{t.pending=!1,
(!s||t.tries>this.#i.retries)&&(this.#s.shift(),t.ack&&u([t.ack],this,s?[s]:[null,...i])),this.#u()};e.fails=!0,this.#b(
t.data,e,t.flags)}#l(t){let{engine:e}=this.io;return(...s)=>{e===this.io.engine&&this.connected&&this.#d({type:a.ACK,id:t,
data:s}),e=void 0}}#A(t,e){let s=this.#c++,i={done:t,fails:t.fails};return e!==void 0&&(i.fails=!0,i.timer=setTimeout(()=>this.#k(
s,t),e)),this.#n.set(s,i),s}#k(t,e){this.#n.delete(t),this.sendBuffer=this.sendBuffer.filter(s=>s.id!==t),u([e],this,[new Error(
"operation has timed out")])}#p(t,e){let s=this.#n.get(t);s&&(this.#n.delete(t),clearTimeout(s.timer),u([s.done],this,s.
fails?[null,...e]:e))}#T(){let t=new Set(this.sendBuffer.map(e=>e.id));for(let[e,{done:s,fails:i,timer:n}]of this.#n)t.has(
e)||(this.#n.delete(e),clearTimeout(n),i&&u([s],this,[new Error("socket has been disconnected")]))}};var G={path:"/socket.io/",autoConnect:!0,timeout:2e4,reconnection:!0,reconnectionAttempts:1/0,reconnectionDelay:1e3,reconnectionDelayMax:5e3,
randomizationFactor:.5},d=class extends l{engine;#i;#e="closed";#t=new Map;#s;#r=0;#n=!1;#c=!1;#h=[];#o;constructor(t,e){
super(),e===void 0&&typeof t=="object"&&!(t instanceof URL)&&([t,e]=[void 0,t]);let s=Object.entries(e??{}).filter(([,n])=>n!=
null);this.opts={...G,...Object.fromEntries(s)};let i=this.opts.addTrailingSlash===!1?"":"/";this.#i=new URL(this.opts.path.
replace(/\/*$/,i),t??globalThis.location?.origin),this.opts.autoConnect&&this.open()}socket(t,e){let s=this.#t.get(t);return s||
(s=new w(this,t,e??this.opts),this.#t.set(t,s)),this.opts.autoConnect&&s.connect(),s}has(t){return this.#t.has(t)}open(t){
if(this.#e!=="closed")return this;this.#e="opening",this.#c=!1;let e=this.engine=new C(this.#i,this.opts),s=i=>{clearTimeout(
this.#o),this.#m(),i?this.#w(i,t):this.#g(t)};return this.#f("open",()=>s()),this.#f("close",(i,n)=>s(n instanceof Error?
n:new Error(n?.description??i))),this.opts.timeout!==!1&&(this.#o=setTimeout(()=>{this.#m(),e.close(),s(new Error("timeo\
ut"))},this.opts.timeout)),this}connect(t){return this.open(t)}disconnect(){this.#c=!0,this.#n=!1,this.#u("forced close")}_connect(t){
this.#n||this.open(),this.#e==="open"&&t._opened()}_left(){this.#a.length||this.disconnect()}_write(t){this.engine.write(
t)}get#a(){return[...this.#t.values()].filter(t=>t.active)}#f(t,e){this.engine.on(t,e),this.#h.push([t,e])}#m(){for(let[
t,e]of this.#h.splice(0))this.engine.off(t,e)}#g(t){this.#e="open",this.#f("message",e=>this.#d(e)),this.#f("ping",()=>this.
_fire("ping")),this.#f("error",e=>this.#y(e)),this.#f("close",(e,s)=>this.#b(e,s));for(let e of this.#a)e._opened();this.
_fire("open"),t?.()}#w(t,e){this.#e="closed",this.#y(t),e?e(t):this.#l()}#y(t){for(let e of this.#a)e._failed(t);this._fire(
"error",t)}#d(t){let e;try{e=this.#E(t)}catch(i){return this.#b("parse error",i)}if(!e)return;let s=this.#t.get(e.nsp);s?.
active&&s._receive(e),this._fire("packet",e)}#E(t){if(typeof t=="string"){if(this.#s)throw new Error("text came instead \
of an attachment");this.#s={...j(t),parts:[]}}else{if(!this.#s)throw new Error("an attachment came without its text");this.#s.
parts.push(t)}let e=this.#s;if(e.parts.length<e.attachments)return;this.#s=void 0;let{type:s,nsp:i,id:n}=e;return{type:s,
nsp:i,id:n,data:M(e,e.parts)}}#b(t,e){this.#u(t,e),this.#l()}#u(t,e){if(clearTimeout(this.#o),this.#r=0,this.#s=void 0,this.#e!==
"closed"){this.#e="closed",this.#m(),this.engine.close();for(let s of this.#t.values())s._closed(t,e);this._fire("close",
t,e)}}#l(){if(!(!this.opts.reconnection||this.#c||this.#n||this.#e!=="closed")){if(this.#r>=(this.opts.reconnectionAttempts||
1/0)){this.#r=0,this._fire("reconnect_failed");return}this.#n=!0,this.#o=setTimeout(()=>this.#k(),this.#A())}}#A(){let{reconnectionDelay:t,
reconnectionDelayMax:e,randomizationFactor:s}=this.opts,i=1+s*(2*Math.random()-1);return Math.min((t||1e3)*2**this.#r++*
i,e||5e3)}#k(){this._fire("reconnect_attempt",this.#r),this.#n&&this.open(t=>{if(this.#n=!1,t){this.#l(),this._fire("rec\
onnect_error",t);return}let e=this.#r;this.#r=0,this._fire("reconnect",e)})}};for(let r of Object.keys(G).slice(2))d.prototype[r]=
function(t){return t===void 0?this.opts[r]:(this.opts[r]=t,this)};var V=new Map;function A(r,t={}){typeof r=="object"&&([r,t]=[void 0,r??t]);let{url:e,namespace:s}=it(r??"/");e.search&&(t=
{query:Object.fromEntries(e.searchParams),...t});let i=`${e.origin}${t.path??""}`,n=V.get(i);if(t.forceNew||t.multiplex===
!1||n?.has(s))return new d(e.origin,t).socket(s,t);let o=n??new d(e.origin,t);return V.set(i,o),o.socket(s,t)}function it(r){
let{protocol:t="https:",origin:e=""}=globalThis.location??{},s=r.replace(/^ws(?=s?:\/\/)/,"http");s.startsWith("//")?s=t+
s:s.startsWith("/")?s=e+s:/^https?:/.test(s)||(s=`${t}//${s}`);let[,i]=/^\w+:\/\/[^/?#]*([^?#]*)/.exec(s);return{url:new URL(
s),namespace:i||"/"}}var rt=5;Object.assign(A,{io:A,connect:A,Manager:d,Socket:w,protocol:rt});globalThis.io=A;})();
